import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { pathOf } from '../data/api.js';
import type { Explanation, History } from '../data/answers.js';
import { usePoll } from '../data/poll.js';
import { isAdmin } from '../data/token.js';
import { go, hrefOf, route } from '../router.js';
import { Answer, Field, Missing, Panel, Pill, Table } from '../ui/parts.js';
import { clock, count, json, moment, Text } from '../ui/text.js';

const GOOD = new Set(['delivered', 'recovered']);
/** Every look is a line in the audit log, so it is not repeated. */
const NEVER_MS = 2_147_483_647;

export function Explain(): VNode {
  const { fields } = route.value;
  const user = useRef<HTMLInputElement>(null);
  const channel = useRef<HTMLInputElement>(null);
  const seq = useRef<HTMLInputElement>(null);
  const explain = (event: Event): void => {
    event.preventDefault();
    const [userId, name, position] = [user, channel, seq].map((one) => one.current?.value.trim() ?? '');
    go('explain', '', { userId: userId ?? '', channel: name ?? '', seq: position ?? '' });
  };
  const asked = ['userId', 'channel', 'seq'].map((name) => fields.get(name) ?? '');
  return (
    <>
      <h1>Explain</h1>
      <p class="quiet">What became of one message for one user. The namespace must keep a ledger.</p>
      <form class="row" onSubmit={explain} key={asked.join(' ')}>
        <Field label="User">
          <input ref={user} data-search required defaultValue={asked[0]} maxLength={256} />
        </Field>
        <Field label="Channel">
          <input ref={channel} required defaultValue={asked[1]} maxLength={255} />
        </Field>
        <Field label="Position (seq)">
          <input ref={seq} required inputMode="numeric" pattern="[0-9]{1,15}" defaultValue={asked[2]} />
        </Field>
        <button type="submit" disabled={!isAdmin.value}>
          Explain
        </button>
      </form>
      {!isAdmin.value ? (
        <p class="warning">Explain needs the role ADMIN.</p>
      ) : asked.every((value) => value !== '') ? (
        <Outcome />
      ) : asked[1] !== '' ? (
        <Newest userId={asked[0] ?? ''} channel={asked[1] ?? ''} />
      ) : (
        <p class="empty">
          Give a user, a channel and a position. The page of a <a href={hrefOf('channels')}>channel</a> has a link for
          each message.
        </p>
      )}
    </>
  );
}

/** A link from a session names the channel, but no position. */
function Newest({ userId, channel }: { readonly userId: string; readonly channel: string }): VNode {
  const poll = usePoll<History>(pathOf(['channels', channel, 'history'], { reverse: true, limit: 20 }));
  return (
    <Panel title="Which message?" note="the newest of the channel">
      <Answer
        poll={poll}
        isEmpty={({ publications }) => publications.length === 0}
        empty="The channel keeps no message, so there is nothing to explain."
      >
        {({ publications, epoch }) => (
          <Table
            label="The newest messages"
            columns={['#Seq', 'Time', 'Data', '']}
            rows={publications.map(({ seq, ts, data, enc }) => ({
              key: String(seq),
              cells: [
                count(seq),
                clock(ts),
                enc === undefined ? <Text value={json(data)} /> : <em>encrypted</em>,
                userId === '' ? (
                  ''
                ) : (
                  <a href={hrefOf('explain', '', { userId, channel, seq: String(seq), epoch })}>Explain</a>
                ),
              ],
            }))}
          />
        )}
      </Answer>
    </Panel>
  );
}

function Outcome(): VNode {
  const { fields } = route.value;
  const question = Object.fromEntries(
    ['userId', 'channel', 'seq', 'epoch'].map((name) => [name, fields.get(name) ?? '']),
  );
  const poll = usePoll<Explanation>(pathOf(['explain'], question), NEVER_MS);
  return (
    <Answer poll={poll}>
      {(explanation) => (
        <Panel
          title="Outcome"
          note={
            <Pill mood={GOOD.has(explanation.outcome) ? 'good' : 'bad'}>
              {explanation.outcome.replaceAll('_', ' ')}
            </Pill>
          }
        >
          <p>{explanation.meaning}</p>
          <Missing nodes={explanation.missing} />
          <ol class="timeline">
            {stepsOf(explanation).map(({ at, what, where }) => (
              <li key={`${at} ${what} ${where}`}>
                <time>{at === undefined ? 'time unknown' : clock(at)}</time>
                <span>{what}</span>
                {where === undefined ? null : <a href={hrefOf('session', where)}>session {where.slice(0, 8)}</a>}
              </li>
            ))}
          </ol>
          <p class="quiet small">
            The channel is at position {explanation.publication.top.seq}.{' '}
            {explanation.publication.ts === undefined ? '' : `Published ${moment(explanation.publication.ts)}.`}
          </p>
        </Panel>
      )}
    </Answer>
  );
}

interface Step {
  readonly at: number | undefined;
  readonly what: string;
  readonly where?: string;
}

function stepsOf({ publication, sessions }: Explanation): readonly Step[] {
  const published = {
    kept: 'published, and still in the history',
    gone: 'published, no longer in the history',
    never: 'never published',
  };
  const what = published[publication.state as keyof typeof published] ?? publication.state;
  const steps = sessions.map(({ outcome, at, sessionId, nodeId }) => ({
    at,
    what: `${outcome.replaceAll('_', ' ')} on ${nodeId}`,
    where: sessionId,
  }));
  return [{ at: publication.ts, what }, ...steps.sort((left, right) => (left.at ?? 0) - (right.at ?? 0))];
}

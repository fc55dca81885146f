import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { pathOf } from '../data/api.js';
import type { Explanation } from '../data/answers.js';
import { NEVER_MS, usePoll } from '../data/poll.js';
import { isAdmin } from '../data/token.js';
import { go, hrefOf, route } from '../router.js';
import { Answer, Field, Missing, Panel, Pill } from '../ui/parts.js';
import { clock, count, moment } from '../ui/text.js';
import { SubscribedNow, WhichMessage, WhichUser } from './explain-choices.js';

const GOOD = new Set(['delivered', 'recovered']);
/** Outcomes that may become better, or say that nobody knows. */
const UNDECIDED = new Set(['waiting', 'not_arrived', 'unknown', 'never_published']);
/** The user was not in the channel. */
const NOT_THERE = new Set(['not_subscribed', 'before_subscribe', 'offline']);
/** What docs/observability.md says of each reason, in short. */
const REASONS: Readonly<Record<string, string>> = {
  forgotten: 'The records do not reach back that far: they are bounded, and a node that restarts begins new ones.',
  node_missing: 'Not all nodes answered.',
  queue: 'Its reader is slow.',
  recovery: 'It goes out with the reply to a subscribe.',
  unsubscribed: 'The session had left the channel.',
  rights: 'The session had lost its rights.',
  failed: 'The subscribe of the session failed.',
  latest: 'Its reader was slow, and newer messages took its place.',
  drop_oldest: 'Its reader was slow, and newer messages took its place.',
  expired: 'Its ttlMs was over.',
  slow_consumer: 'Its reader was too slow and was cut off.',
  node_budget: 'Its reader was slow, and the node had no memory left for it.',
  closed: 'The connection closed before it had left.',
  unreadable: 'Another program wrote it, and no codec could read it.',
  excluded_or_expired: 'A recovery left it out: its publisher excluded the session, or its ttlMs was over.',
};

export function Explain(): VNode {
  const { fields } = route.value;
  const user = useRef<HTMLInputElement>(null);
  const channel = useRef<HTMLInputElement>(null);
  const seq = useRef<HTMLInputElement>(null);
  const asked = ['userId', 'channel', 'seq'].map((name) => fields.get(name) ?? '');
  const explain = (event: Event): void => {
    event.preventDefault();
    const [userId, name, position] = [user, channel, seq].map((one) => one.current?.value.trim() ?? '');
    // The epoch belongs to the message that a link named.
    const isSame = name === asked[1] && position === asked[2];
    const epoch = isSame ? (fields.get('epoch') ?? '') : '';
    go('explain', '', { userId: userId ?? '', channel: name ?? '', seq: position ?? '', epoch });
  };
  return (
    <>
      <h1>Explain</h1>
      <p class="quiet">
        What became of one message for one user. It works for namespaces with <code>ledger</code> in the channels file,
        which record each delivery for a while.
      </p>
      <form class="row" onSubmit={explain} key={asked.join(' ')}>
        <Field label="User">
          <input ref={user} data-search required defaultValue={asked[0]} maxLength={256} />
        </Field>
        <Field label="Channel">
          <input ref={channel} required defaultValue={asked[1]} maxLength={255} />
        </Field>
        <Field label="Position (empty: choose)">
          <input ref={seq} inputMode="numeric" pattern="[0-9]{1,15}" defaultValue={asked[2]} />
        </Field>
        <button type="submit" disabled={!isAdmin.value}>
          Explain
        </button>
      </form>
      {!isAdmin.value ? (
        <p class="warning">Explain needs the role ADMIN.</p>
      ) : asked.every((value) => value !== '') ? (
        <Outcome />
      ) : asked[1] === '' ? (
        <p class="empty">
          Give a user and a channel, and choose among its newest messages. The page of a{' '}
          <a href={hrefOf('channels')}>channel</a> has a link for each message.
        </p>
      ) : asked[0] === '' ? (
        <WhichUser channel={asked[1] ?? ''} />
      ) : (
        <WhichMessage userId={asked[0] ?? ''} channel={asked[1] ?? ''} />
      )}
    </>
  );
}

function Outcome(): VNode {
  const { fields } = route.value;
  const question = Object.fromEntries(
    ['userId', 'channel', 'seq', 'epoch'].map((name) => [name, fields.get(name) ?? '']),
  );
  // Every look is a line in the audit log, so it is not repeated.
  const poll = usePoll<Explanation>(pathOf(['explain'], question), NEVER_MS);
  return (
    <Answer poll={poll}>
      {(explanation) => (
        <Panel
          title="Outcome"
          note={
            <Pill mood={moodOf(explanation.outcome)}>
              {explanation.outcome === 'unknown' ? 'not certain' : explanation.outcome.replaceAll('_', ' ')}
            </Pill>
          }
        >
          <p>{meaningOf(explanation)}</p>
          <Missing nodes={explanation.missing} />
          <ol class="timeline">
            {stepsOf(explanation).map(({ at, what, where }) => (
              <li key={`${at} ${what} ${where}`}>
                {at === undefined ? null : <time>{clock(at)}</time>}
                <span>{what}</span>
                {where === undefined ? null : <a href={hrefOf('session', where)}>session {where.slice(0, 8)}</a>}
              </li>
            ))}
          </ol>
          <p class="quiet small">
            The channel is at position {count(explanation.publication.top.seq)}.{' '}
            {explanation.publication.ts === undefined ? '' : `Published ${moment(explanation.publication.ts)}.`}
          </p>
          {NOT_THERE.has(explanation.outcome) || explanation.sessions.some(({ outcome }) => NOT_THERE.has(outcome)) ? (
            <SubscribedNow userId={question['userId'] ?? ''} />
          ) : null}
        </Panel>
      )}
    </Answer>
  );
}

function moodOf(outcome: string): 'good' | 'wait' | 'bad' {
  if (GOOD.has(outcome)) return 'good';
  return UNDECIDED.has(outcome) ? 'wait' : 'bad';
}

/** What the server says, with its reason in words. */
function meaningOf({ outcome, meaning, reason, sessions }: Explanation): string {
  const why = reason === undefined ? '' : (REASONS[reason] ?? reason);
  if (outcome !== 'unknown') return `${meaning.replace(/; `reason`.*/, '.').replaceAll('`', '')} ${why}`;
  const known =
    sessions.length === 0 ? 'Nobody knows whether it arrived.' : 'No session below is known to have got it.';
  return `${known} ${why}`;
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
  const steps = sessions.map(({ outcome, reason, at, sessionId, nodeId }) => ({
    at,
    what: `${outcome.replaceAll('_', ' ')} on ${nodeId}${reason === undefined ? '' : `: ${REASONS[reason] ?? reason}`}`,
    where: sessionId,
  }));
  return [{ at: publication.ts, what }, ...steps.sort((left, right) => (left.at ?? 0) - (right.at ?? 0))];
}

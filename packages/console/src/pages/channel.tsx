import type { VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { call, pathOf } from '../data/api.js';
import type { History, Presence, SubscriberPage } from '../data/answers.js';
import { NEVER_MS, usePoll, type Poll } from '../data/poll.js';
import { canAct, isAdmin } from '../data/token.js';
import { hrefOf, route } from '../router.js';
import { ask, perform } from '../ui/ask.js';
import { Pager, usePages } from '../ui/pager.js';
import { Answer, Field, Missing, Panel, Pill, Table } from '../ui/parts.js';
import { payloadOf } from '../ui/payload.js';
import { PayloadView } from '../ui/payload-view.js';
import { clock, count, Name, shown } from '../ui/text.js';
import { plural, subscribersOf } from './affected.js';
import { TapLink } from './tap-link.js';

const SHOWN = 50;
const LIVE_MS = 2_000;

export function ChannelView(): VNode {
  const name = route.value.subject;
  const [isLive, setLive] = useState(true);
  const path = pathOf(['channels', name, 'history'], { reverse: true, limit: SHOWN });
  const poll = usePoll<History>(path, isLive ? LIVE_MS : NEVER_MS);
  return (
    <>
      <p>
        <a href={hrefOf('channels')}>← Channels</a>
      </p>
      <h1>
        <Name value={name} max={80} />
      </h1>
      {poll.isFinal ? (
        <p class="failure" role="alert">
          {poll.error}
        </p>
      ) : (
        <>
          <HistoryPanel name={name} poll={poll} isLive={isLive} setLive={setLive} />
          <div class="columns">
            <SubscriberPanel key={name} name={name} />
            <PresencePanel name={name} />
          </div>
          {canAct.value ? <PublishForm name={name} /> : null}
        </>
      )}
    </>
  );
}

interface HistoryProps {
  readonly name: string;
  readonly poll: Poll<History>;
  readonly isLive: boolean;
  readonly setLive: (isLive: boolean) => void;
}

function HistoryPanel({ name, poll, isLive, setLive }: HistoryProps): VNode {
  /** What is shown while the mouse is over the rows, so that they do not move away under it. */
  const [held, setHeld] = useState<History>();
  const data = held ?? poll.data;
  return (
    <Panel
      title="Messages"
      note={data === undefined ? undefined : `position ${count(data.seq)} of epoch ${data.epoch}`}
      actions={
        <>
          {held === undefined ? null : <Pill mood="wait">paused while you point at it</Pill>}
          <label class="check">
            <input type="checkbox" checked={isLive} onChange={({ currentTarget }) => setLive(currentTarget.checked)} />
            Live
          </label>
          {isAdmin.value && <TapLink of="channel" value={name} />}
        </>
      }
    >
      <Answer
        poll={{ ...poll, data }}
        isEmpty={({ publications }) => publications.length === 0}
        empty="No message is kept: none was published, its time is over, or the namespace keeps no history."
      >
        {({ publications, epoch }) => (
          <div
            onPointerEnter={({ pointerType }) => pointerType === 'mouse' && setHeld(poll.data)}
            onPointerLeave={() => setHeld(undefined)}
          >
            <Table
              label="Messages, the newest first"
              columns={['#Seq', 'Time', 'From', 'Data', '']}
              rows={publications.map(({ seq, ts, from, data: payload, enc }) => ({
                key: `${epoch} ${seq}`,
                cells: [
                  count(seq),
                  clock(ts),
                  from === undefined ? <em class="quiet">server</em> : <Name value={from.userId} max={32} />,
                  enc === undefined ? <PayloadView value={payload} /> : <em>encrypted</em>,
                  isAdmin.value ? (
                    <a href={hrefOf('explain', '', { channel: name, seq: String(seq), epoch })}>Explain</a>
                  ) : (
                    ''
                  ),
                ],
              }))}
            />
          </div>
        )}
      </Answer>
    </Panel>
  );
}

function SubscriberPanel({ name }: { readonly name: string }): VNode {
  const pages = usePages();
  const poll = usePoll<SubscriberPage>(pathOf(['channels', name, 'subscribers'], { limit: SHOWN, after: pages.after }));
  const next = poll.data?.after;
  return (
    <Panel title="Subscribers" note="on all nodes">
      <Missing nodes={poll.data?.missing ?? []} />
      <Answer poll={poll} isEmpty={({ subscribers }) => subscribers.length === 0} empty="Nobody is subscribed.">
        {({ subscribers }) => (
          <Table
            label="Subscribers"
            columns={['User', 'Session', 'Node']}
            rows={subscribers.map(({ sessionId, userId, nodeId }) => ({
              key: sessionId,
              cells: [
                userId === null ? <em class="quiet">anonymous</em> : <Name value={userId} max={32} />,
                <a href={hrefOf('session', sessionId)}>{sessionId.slice(0, 8)}</a>,
                <Name value={nodeId} />,
              ],
            }))}
          />
        )}
      </Answer>
      {next === undefined && pages.former.length === 0 ? null : (
        <Pager of="subscribers" pages={pages} next={next} size={SHOWN} shown={poll.data?.subscribers.length ?? 0} />
      )}
    </Panel>
  );
}

function PresencePanel({ name }: { readonly name: string }): VNode {
  const poll = usePoll<Presence>(pathOf(['channels', name, 'presence'], { limit: SHOWN }), 5_000);
  return (
    <Panel title="Presence" note={poll.data === undefined ? undefined : plural(poll.data.count)}>
      <Answer
        poll={poll}
        isEmpty={({ members }) => members.length === 0}
        empty="Nobody is present, or the namespace keeps no presence."
      >
        {({ members, truncated }) => (
          <>
            <p class="chips">
              {members.map(({ userId, sessionId }) => (
                <a key={sessionId} href={hrefOf('session', sessionId)} class="chip">
                  <Name value={userId} max={32} />
                </a>
              ))}
            </p>
            {truncated ? <p class="quiet">There are more.</p> : null}
          </>
        )}
      </Answer>
    </Panel>
  );
}

function PublishForm({ name }: { readonly name: string }): VNode {
  const data = useRef<HTMLTextAreaElement>(null);
  const publish = (event: Event): Promise<void> => {
    event.preventDefault();
    return perform(async () => {
      const body = { channel: name, data: payloadOf(data.current?.value ?? '') };
      ask({
        title: `Publish in ${shown(name, 40)}?`,
        consequence: `${await subscribersOf(name)} on all nodes will get it. It cannot be taken back.`,
        verb: 'Publish',
        isHarmless: true,
        act: async () => {
          const { seq } = await call<{ seq?: number }>('POST', 'publish', { body });
          return seq === undefined ? 'Published.' : `Published at position ${count(seq)}.`;
        },
      });
      return '';
    });
  };
  return (
    <Panel title="Publish" note="as the server: without a sender, whatever the namespace allows users">
      <form class="stack" onSubmit={(event) => void publish(event)}>
        <Field label="Data, JSON or text">
          <textarea ref={data} required rows={3} spellcheck={false} placeholder={'{"text":"Hello"}'} />
        </Field>
        <button type="submit">Publish…</button>
      </form>
    </Panel>
  );
}

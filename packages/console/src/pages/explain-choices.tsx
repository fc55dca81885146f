import type { VNode } from 'preact';
import { pathOf } from '../data/api.js';
import type { History, SessionPage, SubscriberPage, Subscription } from '../data/answers.js';
import { NEVER_MS, usePoll } from '../data/poll.js';
import { hrefOf, route } from '../router.js';
import { Answer, Missing, Panel, Table } from '../ui/parts.js';
import { PayloadView } from '../ui/payload-view.js';
import { clock, count, Name } from '../ui/text.js';

/** A link from a session names the channel, but no position. */
export function WhichMessage({ userId, channel }: { readonly userId: string; readonly channel: string }): VNode {
  const poll = usePoll<History>(pathOf(['channels', channel, 'history'], { reverse: true, limit: 20 }), NEVER_MS);
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
                enc === undefined ? <PayloadView value={data} /> : <em>encrypted</em>,
                <a href={hrefOf('explain', '', { userId, channel, seq: String(seq), epoch })}>Explain</a>,
              ],
            }))}
          />
        )}
      </Answer>
    </Panel>
  );
}

/** A link from a message names the channel and the position, but no user. */
export function WhichUser({ channel }: { readonly channel: string }): VNode {
  const { fields } = route.value;
  const poll = usePoll<SubscriberPage>(pathOf(['channels', channel, 'subscribers'], { limit: 50 }), NEVER_MS);
  const [seq, epoch] = ['seq', 'epoch'].map((name) => fields.get(name) ?? '');
  const users = [...new Set(poll.data?.subscribers.flatMap(({ userId }) => (userId === null ? [] : [userId])))];
  return (
    <Panel title="Which user?" note="the first subscribers, or type another user above">
      <Missing nodes={poll.data?.missing ?? []} />
      <Answer poll={poll} isEmpty={() => users.length === 0} empty="No user is subscribed now. Type the user above.">
        {() => (
          <p class="chips">
            {users.map((userId) => (
              <a
                key={userId}
                class="chip"
                href={hrefOf('explain', '', { userId, channel, seq: seq ?? '', epoch: epoch ?? '' })}
              >
                <Name value={userId} max={32} />
              </a>
            ))}
          </p>
        )}
      </Answer>
    </Panel>
  );
}

/** Where a user is instead, who was not in the channel. */
export function SubscribedNow({ userId }: { readonly userId: string }): VNode {
  const poll = usePoll<SessionPage>(pathOf(['sessions'], { userId, limit: 5 }), NEVER_MS);
  return (
    <>
      <h3>Subscribed now</h3>
      <Answer poll={poll} isEmpty={({ sessions }) => sessions.length === 0} empty="The user is not connected.">
        {({ sessions }) => sessions.map(({ sessionId }) => <ChannelsOf key={sessionId} sessionId={sessionId} />)}
      </Answer>
    </>
  );
}

function ChannelsOf({ sessionId }: { readonly sessionId: string }): VNode {
  const path = pathOf(['sessions', sessionId, 'subscriptions'], { limit: 20 });
  const poll = usePoll<{ readonly subscriptions: readonly Subscription[]; readonly after?: string }>(path, NEVER_MS);
  return (
    <div>
      <a href={hrefOf('session', sessionId)}>session {sessionId.slice(0, 8)}</a>
      <Answer poll={poll} isEmpty={({ subscriptions }) => subscriptions.length === 0} empty="Subscribed to no channel.">
        {({ subscriptions, after }) => (
          <p class="chips">
            {subscriptions.map(({ channel }) => (
              <a key={channel} class="chip" href={hrefOf('channel', channel)}>
                <Name value={channel} />
              </a>
            ))}
            {after === undefined ? null : <span class="quiet">and more</span>}
          </p>
        )}
      </Answer>
    </div>
  );
}

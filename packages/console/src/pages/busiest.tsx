import type { VNode } from 'preact';
import type { BusiestPage } from '../data/answers.js';
import { usePoll } from '../data/poll.js';
import { hrefOf } from '../router.js';
import { Answer, Missing, Panel, Table } from '../ui/parts.js';
import { count, Name } from '../ui/text.js';

const SHOWN = 5;
/** The answer takes a second of its own. */
const EVERY_MS = 4_000;

/** The answer to the question who sends too much. */
export function Busiest({ received }: { readonly received: number }): VNode {
  const poll = usePoll<BusiestPage>(`sessions/busiest?limit=${SHOWN}`, EVERY_MS);
  return (
    <Panel title="Busiest sessions" note="Messages in the last second, those that send the most first">
      <Missing nodes={poll.data?.missing ?? []} />
      <Answer poll={poll} isEmpty={({ sessions }) => sessions.length === 0} empty="No client sends anything.">
        {({ sessions }) => (
          <Table
            label="Busiest sessions"
            columns={['User', 'Session', 'Node', '#Sends /s', '#Share of all', '#Gets /s']}
            rows={sessions.map((session) => ({
              key: session.sessionId,
              cells: [
                session.userId === null ? <em class="quiet">anonymous</em> : <Name value={session.userId} max={40} />,
                <a href={hrefOf('session', session.sessionId)}>{session.sessionId.slice(0, 8)}</a>,
                <Name value={session.nodeId} />,
                count(session.receivedPerSecond),
                received > 0 ? `${Math.min(100, Math.round((100 * session.receivedPerSecond) / received))} %` : '–',
                count(session.sentPerSecond),
              ],
            }))}
          />
        )}
      </Answer>
    </Panel>
  );
}

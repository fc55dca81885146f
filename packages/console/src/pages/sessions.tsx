import type { VNode } from 'preact';
import { pathOf } from '../data/api.js';
import type { NodeReport, Session, SessionPage } from '../data/answers.js';
import { usePoll } from '../data/poll.js';
import { go, hrefOf, route } from '../router.js';
import { Answer, Missing, Table } from '../ui/parts.js';
import { Pager, usePages } from '../ui/pager.js';
import { SearchBox } from '../ui/search-box.js';
import { age, bytes, count, Name, shown } from '../ui/text.js';
import { UserNotes } from './user-notes.js';

const PAGE_SIZE = 50;
const NODES_MS = 10_000;
/** Less than this waits for any client for a moment. */
export const MANY_BYTES = 64 * 1_024;
/** What looks like an address is searched as one. */
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f]*:[\da-f:.]*:[\da-f:.]*)$/i;

export function Sessions(): VNode {
  const query = route.value.fields.get('q') ?? '';
  return (
    <>
      <h1>Sessions</h1>
      <SearchBox
        label="User, session or address"
        value={query}
        onSearch={(text) => go('sessions', '', { q: text })}
        hint="The beginning of a user or session id, or a whole address"
      />
      <Found key={query} query={query} />
      {query === '' || ADDRESS.test(query) ? null : <UserNotes userId={query} />}
    </>
  );
}

function Found({ query }: { readonly query: string }): VNode {
  const pages = usePages();
  const by = ADDRESS.test(query) ? { address: query } : { prefix: query };
  const poll = usePoll<SessionPage>(pathOf(['sessions'], { ...by, limit: PAGE_SIZE, after: pages.after }));
  const reports = usePoll<{ readonly nodes: readonly NodeReport[] }>(query === '' ? 'nodes' : undefined, NODES_MS);
  const total = reports.data?.nodes.reduce((sum, { load }) => sum + load.sessions, 0);
  return (
    <>
      <Missing nodes={poll.data?.missing ?? []} />
      <Answer
        poll={poll}
        isEmpty={({ sessions }) => sessions.length === 0 && pages.former.length === 0}
        empty={
          query === ''
            ? 'Nobody is connected.'
            : `Nobody is connected as “${shown(query, 64)}”, on any node. Ids are case-sensitive.`
        }
      >
        {({ sessions }) => (
          <>
            <SessionTable sessions={sessions} />
            <p class="quiet small legend">Messages in and out are those since each session connected.</p>
            <Pager
              of="sessions"
              pages={pages}
              next={poll.data?.after}
              size={PAGE_SIZE}
              shown={sessions.length}
              total={total}
            />
          </>
        )}
      </Answer>
    </>
  );
}

export function SessionTable({ sessions }: { readonly sessions: readonly Session[] }): VNode {
  return (
    <Table
      label="Sessions"
      columns={[
        'User',
        'Session',
        'Node',
        'Address',
        'Codec',
        '#Age',
        '#Channels',
        '#Messages in',
        '#Messages out',
        '#Queued',
      ]}
      rows={sessions.map((session) => ({
        key: session.sessionId,
        cells: [
          session.userId === null ? (
            <em class="quiet">anonymous</em>
          ) : (
            <a href={hrefOf('session', session.sessionId)}>
              <Name value={session.userId} max={40} />
            </a>
          ),
          <a href={hrefOf('session', session.sessionId)}>{session.sessionId.slice(0, 8)}</a>,
          <Name value={session.nodeId} />,
          <Name value={session.address} />,
          session.protocol,
          age(session.openedAt),
          count(session.subscriptions),
          count(session.messagesReceived),
          count(session.messagesSent),
          queued(session.queuedBytes),
        ],
      }))}
    />
  );
}

function queued(size: number): VNode | string {
  return size < MANY_BYTES ? bytes(size) : <strong class="bad">{bytes(size)}</strong>;
}

import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';
import { pathOf } from '../data/api.js';
import type { SessionDetail, SessionPage, Subscription } from '../data/answers.js';
import { usePoll } from '../data/poll.js';
import { canAct, isAdmin } from '../data/token.js';
import { hrefOf, route } from '../router.js';
import { Answer, Facts, Missing, Panel, Pill, Table } from '../ui/parts.js';
import { age, bytes, count, moment, Name } from '../ui/text.js';
import { plural } from './affected.js';
import { SessionActions } from './session-actions.js';
import { MANY_BYTES, SessionTable } from './sessions.js';
import { TapLink } from './tap-link.js';
import { UserNotes } from './user-notes.js';

interface Subscriptions {
  readonly subscriptions: readonly Subscription[];
  readonly after?: string;
}

export function SessionView(): VNode {
  const id = route.value.subject;
  const poll = usePoll<SessionDetail>(pathOf(['sessions', id]));
  const hasGone = poll.data !== undefined && poll.isFinal;
  return (
    <>
      <p>
        <a href={hrefOf('sessions')}>← Sessions</a>
      </p>
      {hasGone ? (
        <p class="warning" role="status">
          This session has ended. What you see is its last state.
        </p>
      ) : null}
      <Answer poll={hasGone ? { ...poll, error: undefined } : poll}>
        {(session) => (
          <>
            <h1>
              {session.userId === null ? 'Anonymous session' : <Name value={session.userId} />}{' '}
              <Pill mood={hasGone ? 'bad' : 'good'}>{hasGone ? 'ended' : 'connected'}</Pill>
            </h1>
            {session.userId === null ? null : <UserNotes key={String(hasGone)} userId={session.userId} />}
            <div class="columns">
              <SessionFacts session={session} hasGone={hasGone} />
              <Channels session={session} />
            </div>
            {canAct.value && !hasGone ? <SessionActions session={session} /> : null}
            {session.userId === null ? null : (
              <OtherSessions userId={session.userId} own={session.sessionId} hasGone={hasGone} />
            )}
          </>
        )}
      </Answer>
    </>
  );
}

interface FactsProps {
  readonly session: SessionDetail;
  readonly hasGone: boolean;
}

function SessionFacts({ session, hasGone }: FactsProps): VNode {
  const { roles, expiresAt, queuedMessages, queuedBytes, waitingMessages, channels } = session;
  const facts: [string, ComponentChildren][] = [
    ['Session', <Name value={session.sessionId} />],
    ['Node', <Name value={session.nodeId} />],
    [
      'Address',
      <a href={hrefOf('sessions', '', { q: session.address })}>
        <Name value={session.address} />
      </a>,
    ],
    ['Codec', session.protocol],
    ['Connected for', age(session.openedAt)],
    ['Token ends', expiresAt === null ? 'never' : moment(expiresAt)],
    [
      'Roles',
      <>
        {roles.length === 0 ? 'none' : <Name value={roles.join(', ')} max={120} />}{' '}
        {session.hasChangedRights ? <Pill mood="wait">changed by an operator</Pill> : null}
      </>,
    ],
    [
      'Channel rights of the token',
      channels === null ? 'the token names none, so the rules of each namespace hold' : rightsText(channels),
    ],
    ['Messages in / out since it connected', `${count(session.messagesReceived)} / ${count(session.messagesSent)}`],
    [
      'Queued for the client (slow reader)',
      queuedBytes >= MANY_BYTES ? (
        <strong class="bad">
          {count(queuedMessages)} messages, {bytes(queuedBytes)}
        </strong>
      ) : queuedBytes > 0 ? (
        bytes(queuedBytes)
      ) : (
        'nothing'
      ),
    ],
    ['Received, not yet handled', waitingMessages === 0 ? 'nothing' : `${count(waitingMessages)} messages`],
  ];
  return (
    <Panel title="Session" actions={isAdmin.value && !hasGone && <TapLink of="sessionId" value={session.sessionId} />}>
      <Facts facts={facts} />
    </Panel>
  );
}

function rightsText(channels: Readonly<Record<string, readonly string[]>>): ComponentChildren {
  const rules = Object.entries(channels);
  if (rules.length === 0) return 'none';
  return rules.slice(0, 20).map(([pattern, words]) => (
    <div key={pattern}>
      <Name value={pattern} />: {words.join(', ')}
    </div>
  ));
}

function Channels({ session }: { readonly session: SessionDetail }): VNode {
  const [after, setAfter] = useState<string | undefined>(undefined);
  const poll = usePoll<Subscriptions>(pathOf(['sessions', session.sessionId, 'subscriptions'], { limit: 50, after }));
  const explain = (channel: string): VNode => (
    <a href={hrefOf('explain', '', { userId: session.userId ?? '', channel })}>Explain</a>
  );
  return (
    <Panel title="Channels" note={plural(session.subscriptions, 'subscription')}>
      <Answer
        // A session that has ended keeps what was seen last; the page says above that it has ended.
        poll={poll.isFinal && poll.data !== undefined ? { ...poll, error: undefined } : poll}
        isEmpty={({ subscriptions }) => subscriptions.length === 0}
        empty="Subscribed to no channel, so it gets no publication. Only replies and direct messages reach it."
      >
        {({ subscriptions, after: next }) => (
          <>
            <Table
              label="Channels of the session"
              columns={['Channel', 'Allowed by', '']}
              rows={subscriptions.map(({ channel, grantedBy }) => ({
                key: channel,
                cells: [
                  <a href={hrefOf('channel', channel)}>
                    <Name value={channel} />
                  </a>,
                  grantedBy === 'rights' ? 'the rights of the user' : 'the application',
                  isAdmin.value && session.userId !== null ? explain(channel) : '',
                ],
              }))}
            />
            {next === undefined ? null : (
              <button type="button" onClick={() => setAfter(next)}>
                More channels
              </button>
            )}
          </>
        )}
      </Answer>
    </Panel>
  );
}

interface OthersProps {
  readonly userId: string;
  readonly own: string;
  readonly hasGone: boolean;
}

function OtherSessions({ userId, own, hasGone }: OthersProps): VNode {
  const poll = usePoll<SessionPage>(pathOf(['sessions'], { userId, limit: 100 }));
  const others = poll.data?.sessions.filter(({ sessionId }) => sessionId !== own) ?? [];
  return (
    <Panel title="Other sessions of this user" note="on all nodes">
      <Missing nodes={poll.data?.missing ?? []} />
      <Answer
        poll={poll}
        isEmpty={() => others.length === 0}
        empty={hasGone ? 'The user has no open session.' : 'This is the only one.'}
      >
        {() => <SessionTable sessions={others} />}
      </Answer>
    </Panel>
  );
}

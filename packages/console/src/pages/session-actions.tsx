import type { VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { call, pathOf } from '../data/api.js';
import type { SessionDetail } from '../data/answers.js';
import { identity } from '../data/token.js';
import { ask, perform } from '../ui/ask.js';
import { Field, Panel } from '../ui/parts.js';
import { payloadOf } from '../ui/payload.js';
import { shown } from '../ui/text.js';
import { plural, sessionsOf } from './affected.js';

/** As users of the client library write it: no space, no control character. */
const TYPE = String.raw`[\x21-\x7e]+`;
const BANS = [
  ['10 minutes', 600_000],
  ['1 hour', 3_600_000],
  ['1 day', 86_400_000],
  ['30 days', 2_592_000_000],
] as const;

interface Affected {
  readonly sessions: number;
}

/** What to add to the question if somebody acts on the user that the token names. */
export function selfWarning(userId: string): string {
  return userId === identity.value.user ? ' This is you: you may lose access to the console.' : '';
}

export function SessionActions({ session }: { readonly session: SessionDetail }): VNode {
  const { sessionId, userId } = session;
  const endOne = (): void =>
    ask({
      title: 'End this session?',
      consequence: '1 session closes with 4409. The client may connect again at once.',
      verb: 'End session',
      act: async () => {
        await call('DELETE', pathOf(['sessions', sessionId]));
        return 'The session is closing.';
      },
    });
  return (
    <Panel title="Actions">
      <div class="actions">
        <button type="button" class="danger" onClick={endOne}>
          End session…
        </button>
        {userId === null ? null : <UserActions userId={userId} />}
      </div>
      {userId === null ? null : (
        <div class="columns">
          <SendForm userId={userId} />
          <RightsForm userId={userId} roles={session.roles} />
        </div>
      )}
    </Panel>
  );
}

function UserActions({ userId }: { readonly userId: string }): VNode {
  const [durationMs, setDuration] = useState<number>(BANS[1][1]);
  const who = shown(userId, 40);
  const length = BANS.find(([, ms]) => ms === durationMs)?.[0] ?? '';
  const confirmFor = (title: string, effect: string, verb: string, act: () => Promise<string>): Promise<void> =>
    perform(async () => {
      ask({
        title,
        consequence: `${await sessionsOf(userId)} of ${who} on all nodes will ${effect}${selfWarning(userId)}`,
        verb,
        act,
      });
      return '';
    });
  const endAll = (): Promise<void> =>
    confirmFor(
      `End all sessions of ${who}?`,
      'close with 4409. They may connect again at once.',
      'End all',
      async () => {
        const { sessions } = await call<Affected>('DELETE', pathOf(['users', userId, 'sessions']));
        return `${plural(sessions)} ended.`;
      },
    );
  const ban = (): Promise<void> =>
    confirmFor(`Ban ${who}?`, `close, and the user cannot connect for ${length}.`, 'Ban', async () => {
      const body = { kind: 'user', key: userId, durationMs, reason: 'Banned from the console' };
      const { sessions } = await call<Affected>('POST', 'bans', { body });
      return `${who} is banned for ${length}. ${plural(sessions)} ended.`;
    });
  const revoke = (): Promise<void> =>
    confirmFor(`Revoke all tokens of ${who}?`, 'close with 4401. The user needs a new token.', 'Revoke', async () => {
      const { sessions } = await call<Affected>('POST', 'revocations', { body: { kind: 'user', key: userId } });
      return `The tokens of ${who} are revoked. ${plural(sessions)} ended.`;
    });
  return (
    <>
      <button type="button" class="danger" onClick={() => void endAll()}>
        End all of this user…
      </button>
      <button type="button" class="danger" onClick={() => void revoke()}>
        Revoke tokens…
      </button>
      <span class="joined">
        <button type="button" class="danger" onClick={() => void ban()}>
          Ban user…
        </button>
        <select
          aria-label="Length of the ban"
          value={durationMs}
          onChange={({ currentTarget }) => setDuration(Number(currentTarget.value))}
        >
          {BANS.map(([name, ms]) => (
            <option key={ms} value={ms}>
              {name}
            </option>
          ))}
        </select>
      </span>
    </>
  );
}

function SendForm({ userId }: { readonly userId: string }): VNode {
  const type = useRef<HTMLInputElement>(null);
  const data = useRef<HTMLTextAreaElement>(null);
  const send = (event: Event): Promise<void> => {
    event.preventDefault();
    return perform(async () => {
      const body = { type: type.current?.value ?? '', data: payloadOf(data.current?.value ?? '') };
      const who = shown(userId, 40);
      ask({
        title: `Send ${shown(body.type, 40)} to ${who}?`,
        consequence: `${await sessionsOf(userId)} of ${who} on all nodes will get it.`,
        verb: 'Send',
        isHarmless: true,
        act: async () => {
          const { sessions } = await call<Affected>('POST', pathOf(['users', userId, 'messages']), { body });
          return `${plural(sessions)} took the message.`;
        },
      });
      return '';
    });
  };
  return (
    <form class="stack" onSubmit={(event) => void send(event)}>
      <h3>Send a message</h3>
      <Field label="Type">
        <input ref={type} required pattern={TYPE} title="No spaces" defaultValue="direct_message" maxLength={128} />
      </Field>
      <Field label="Data, JSON or text">
        <textarea ref={data} required rows={3} spellcheck={false} placeholder={'{"text":"Hello"}'} />
      </Field>
      <button type="submit">Send to all sessions of the user…</button>
    </form>
  );
}

function RightsForm({ userId, roles }: { readonly userId: string; readonly roles: readonly string[] }): VNode {
  const input = useRef<HTMLInputElement>(null);
  const change = async (event: Event): Promise<void> => {
    event.preventDefault();
    const wanted = (input.current?.value ?? '').split(/[\s,]+/).filter((role) => role !== '');
    const found = await sessionsOf(userId).catch(() => 'All sessions');
    ask({
      title: `Change the roles of ${shown(userId, 40)}?`,
      consequence: `${found} will have ${wanted.length === 0 ? 'no roles' : `the roles ${shown(wanted.join(', '), 200)}`} at once. Subscriptions that they no longer allow end.`,
      verb: 'Change roles',
      act: async () => {
        const body = { roles: wanted, reason: 'Changed from the console' };
        const { sessions, dropped } = await call<Affected & { dropped: number }>(
          'PUT',
          pathOf(['users', userId, 'rights']),
          { body },
        );
        return `Roles changed in ${plural(sessions)}, ${plural(dropped, 'subscription')} ended.`;
      },
    });
  };
  return (
    <form class="stack" onSubmit={(event) => void change(event)}>
      <h3>Change roles</h3>
      <Field label="Roles, separated by commas">
        <input ref={input} defaultValue={roles.join(', ')} />
      </Field>
      <p class="quiet small">Holds for every token that was issued before now. A later token has its own roles.</p>
      <button type="submit" class="danger">
        Change roles…
      </button>
    </form>
  );
}

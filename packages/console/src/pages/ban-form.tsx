import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { call } from '../data/api.js';
import { ask, perform } from '../ui/ask.js';
import { Field } from '../ui/parts.js';
import { shown } from '../ui/text.js';
import { plural, sessionsOf } from './affected.js';
import { selfWarning } from './session-actions.js';

const NOT_BLANK = String.raw`.*\S.*`;
/** A year, as the server API allows. */
const MAX_MINUTES = 525_600;

async function consequenceOf(kind: string, key: string, length: string): Promise<string> {
  if (kind !== 'user')
    return `Nobody can connect from this address on any node for ${length}. Open sessions stay open.`;
  const found = await sessionsOf(key);
  return `${found} on all nodes will close, and the user cannot connect for ${length}.${selfWarning(key)}`;
}

/** A ban of a user or an address that may not be connected now. */
export function BanForm({ onDone }: { readonly onDone: () => void }): VNode {
  const kind = useRef<HTMLSelectElement>(null);
  const key = useRef<HTMLInputElement>(null);
  const minutes = useRef<HTMLInputElement>(null);
  const reason = useRef<HTMLInputElement>(null);
  const ban = (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const length = Number(minutes.current?.value);
    const body = {
      kind: kind.current?.value ?? '',
      key: key.current?.value.trim() ?? '',
      durationMs: Math.round(length * 60_000),
      reason: reason.current?.value ?? '',
    };
    const who = shown(body.key, 40);
    return perform(async () => {
      ask({
        title: `Ban ${who}?`,
        consequence: await consequenceOf(body.kind, body.key, plural(length, 'minute')),
        verb: 'Ban',
        act: async () => {
          const { sessions } = await call<{ sessions: number }>('POST', 'bans', { body });
          form.reset();
          onDone();
          return `${who} is banned for ${plural(length, 'minute')}. ${plural(sessions)} ended.`;
        },
      });
      return '';
    });
  };
  return (
    <form class="row" onSubmit={(event) => void ban(event)}>
      <Field label="Ban">
        <select ref={kind}>
          <option value="user">user</option>
          <option value="address">address</option>
        </select>
      </Field>
      <Field label="User or address">
        <input ref={key} required pattern={NOT_BLANK} title="Not only spaces" maxLength={256} spellcheck={false} />
      </Field>
      <Field label="Minutes">
        <input ref={minutes} type="number" min={1} max={MAX_MINUTES} required defaultValue="60" />
      </Field>
      <Field label="Reason">
        <input ref={reason} maxLength={100} />
      </Field>
      <button type="submit" class="danger">
        Ban…
      </button>
    </form>
  );
}

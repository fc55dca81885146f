import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { call } from '../data/api.js';
import { ask } from '../ui/ask.js';
import { Field } from '../ui/parts.js';
import { count, shown } from '../ui/text.js';

/** A ban of a user or an address that may not be connected now. */
export function BanForm({ onDone }: { readonly onDone: () => void }): VNode {
  const kind = useRef<HTMLSelectElement>(null);
  const key = useRef<HTMLInputElement>(null);
  const minutes = useRef<HTMLInputElement>(null);
  const reason = useRef<HTMLInputElement>(null);
  const ban = (event: Event): void => {
    event.preventDefault();
    const body = {
      kind: kind.current?.value,
      key: key.current?.value.trim(),
      durationMs: Math.round(Number(minutes.current?.value) * 60_000),
      reason: reason.current?.value ?? '',
    };
    ask({
      title: `Ban ${shown(body.key ?? '', 40)}?`,
      consequence:
        body.kind === 'user'
          ? 'All sessions of the user end, and the user cannot connect on any node.'
          : 'Nobody can connect from this address on any node. Open sessions stay open.',
      verb: 'Ban',
      act: async () => {
        const { sessions } = await call<{ sessions: number }>('POST', 'bans', { body });
        onDone();
        return `Banned. ${count(sessions)} sessions ended.`;
      },
    });
  };
  return (
    <form class="row" onSubmit={ban}>
      <Field label="Ban">
        <select ref={kind}>
          <option value="user">user</option>
          <option value="address">address</option>
        </select>
      </Field>
      <Field label="User or address">
        <input ref={key} required maxLength={256} spellcheck={false} />
      </Field>
      <Field label="Minutes">
        <input ref={minutes} type="number" min={1} required defaultValue="60" />
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

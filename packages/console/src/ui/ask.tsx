import { signal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ApiError } from '../data/api.js';

interface Question {
  readonly title: string;
  /** What will happen, and to how many. */
  readonly consequence: string;
  readonly verb: string;
  readonly act: () => Promise<string>;
}

const question = signal<Question | undefined>(undefined);
const notice = signal<{ readonly text: string; readonly isBad: boolean } | undefined>(undefined);

/** Asks once before something that cannot be taken back. `act` returns what happened. */
export function ask(asked: Question): void {
  question.value = asked;
}

/** Does something and tells what happened. */
export async function perform(act: () => Promise<string>): Promise<void> {
  try {
    const text = await act();
    notice.value = text === '' ? undefined : { text, isBad: false };
  } catch (error) {
    const text = error instanceof ApiError ? error.message : error instanceof Error ? error.message : String(error);
    notice.value = { text, isBad: true };
  }
}

export function AskDialog(): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const asked = question.value;
  useEffect(() => {
    if (asked !== undefined) dialog.current?.showModal();
  }, [asked]);
  const close = (): void => {
    dialog.current?.close();
    question.value = undefined;
  };
  const confirm = (): void => {
    close();
    if (asked) void perform(asked.act);
  };
  return (
    <dialog ref={dialog} onClose={() => (question.value = undefined)} aria-labelledby="ask-title">
      <h2 id="ask-title">{asked?.title}</h2>
      <p>{asked?.consequence}</p>
      <div class="actions">
        <button type="button" onClick={close} autofocus>
          Cancel
        </button>
        <button type="button" class="danger" onClick={confirm}>
          {asked?.verb}
        </button>
      </div>
    </dialog>
  );
}

export function Notice(): VNode {
  const told = notice.value;
  return (
    <div class="notices" role="status">
      {told === undefined ? null : (
        <p class={told.isBad ? 'notice bad' : 'notice'}>
          {told.text}
          <button type="button" class="link" onClick={() => (notice.value = undefined)}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}

import { signal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Question {
  readonly title: string;
  /** What will happen, and to how many. */
  readonly consequence: string;
  readonly verb: string;
  /** Takes something back, so the button is not red. */
  readonly isHarmless?: boolean;
  readonly act: () => Promise<string>;
}

const question = signal<Question | undefined>(undefined);
const notice = signal<Told | undefined>(undefined);
/** Long enough to read a sentence. */
const SHOWN_MS = 8_000;
let fading: ReturnType<typeof setTimeout> | undefined;

interface Told {
  readonly text: string;
  readonly isBad: boolean;
}

/** A success fades. A failure stays until somebody dismisses it or goes to another page. */
function tell(told: Told | undefined): void {
  clearTimeout(fading);
  notice.value = told;
  if (told?.isBad === false) fading = setTimeout(() => (notice.value = undefined), SHOWN_MS);
}

addEventListener('hashchange', () => tell(undefined));

/** Asks once before something that cannot be taken back. `act` returns what happened. */
export function ask(asked: Question): void {
  question.value = asked;
}

/** Does something and tells what happened. */
export async function perform(act: () => Promise<string>): Promise<void> {
  try {
    const text = await act();
    tell(text === '' ? undefined : { text, isBad: false });
  } catch (error) {
    tell({ text: error instanceof Error ? error.message : String(error), isBad: true });
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
        <button type="button" class={asked?.isHarmless ? 'main' : 'danger'} onClick={confirm}>
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
          <button type="button" class="link" onClick={() => tell(undefined)}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { json, shown, Text } from './text.js';

const SHORT = 300;
/** More of one message would slow the page down. */
const LONG = 100_000;

/** What a message carries. A long one can be opened. */
export function PayloadView({ value }: { readonly value: unknown }): VNode {
  const [isOpen, setOpen] = useState(false);
  const text = json(value);
  const start = (
    <code>
      <Text value={text} max={SHORT} />
    </code>
  );
  if (text.length <= SHORT) return start;
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{start}</summary>
      {isOpen ? <pre tabIndex={0}>{shownLines(json(value, 2), LONG)}</pre> : null}
    </details>
  );
}

/** As `shown`, but with its lines. */
export function shownLines(text: string, max: number): string {
  return shown(text, max).replaceAll('\\u{a}', '\n');
}

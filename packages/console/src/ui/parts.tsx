import type { ComponentChildren, VNode } from 'preact';
import { useId } from 'preact/hooks';
import type { Poll } from '../data/poll.js';

interface PanelProps {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Panel({ title, note, actions, children }: PanelProps): VNode {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note === undefined ? null : <p class="quiet">{note}</p>}
        {actions === undefined ? null : <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

interface AnswerProps<T> {
  readonly poll: Poll<T>;
  readonly isEmpty?: (data: T) => boolean;
  readonly empty?: ComponentChildren;
  readonly children: (data: T) => ComponentChildren;
}

/** What a request brought, or that it is under way, failed or brought nothing. */
export function Answer<T>({ poll, isEmpty, empty = 'Nothing here.', children }: AnswerProps<T>): VNode {
  const { data, error, isFinal, refresh } = poll;
  return (
    <>
      {error === undefined ? null : (
        <p class="failure" role="alert">
          {error}
          {data === undefined ? '. ' : '. What you see is older. '}
          {isFinal ? null : (
            <button type="button" class="link" onClick={refresh}>
              Try again
            </button>
          )}
        </p>
      )}
      {data === undefined ? (
        error === undefined && <p class="loading">Loading…</p>
      ) : isEmpty?.(data) ? (
        <p class="empty">{empty}</p>
      ) : (
        children(data)
      )}
    </>
  );
}

/** Nodes that did not answer, so that nobody takes a part for the whole. */
export function Missing({ nodes }: { readonly nodes: readonly string[] }): VNode | null {
  if (nodes.length === 0) return null;
  return (
    <p class="warning" role="status">
      No answer from {nodes.join(', ')}. What these nodes have is not shown.
    </p>
  );
}

type Mood = 'good' | 'bad' | 'wait' | 'plain';

export function Pill({ mood, children }: { readonly mood: Mood; readonly children: ComponentChildren }): VNode {
  return <span class={`pill ${mood}`}>{children}</span>;
}

interface TableProps {
  readonly label: string;
  /** A column whose name begins with # is of numbers. One that begins with ! is not broken into lines. */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly ComponentChildren[] }[];
}

/** On a phone, each row is a card. */
export function Table({ label, columns, rows }: TableProps): VNode {
  const names = columns.map((column) => column.replace(/^[#!]/, ''));
  const classes = columns.map((column) => ({ '#': 'number', '!': 'whole' })[column.charAt(0)]);
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {names.map((name, index) => (
              <th key={name} scope="col" class={classes[index]}>
                {name === '' ? <span class="hidden">Actions</span> : name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              {cells.map((cell, index) => (
                <td key={names[index]} class={classes[index]} data-label={names[index]}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface FieldProps {
  readonly label: string;
  readonly children: ComponentChildren;
}

export function Field({ label, children }: FieldProps): VNode {
  return (
    <label class="field">
      <span>{label}</span>
      {children}
    </label>
  );
}

export function Facts({
  facts,
}: {
  readonly facts: readonly (readonly [name: string, value: ComponentChildren])[];
}): VNode {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { count } from './text.js';

export interface Pages {
  /** The last row of each page before this one. */
  readonly former: readonly string[];
  /** The last row of the page before. Undefined on the first page. */
  readonly after: string | undefined;
  readonly go: (former: readonly string[]) => void;
}

/** Where somebody is in a list that the server pages. */
export function usePages(): Pages {
  const [former, go] = useState<readonly string[]>([]);
  return { former, after: former.at(-1), go };
}

interface PagerProps {
  /** What is paged, such as `sessions`. */
  readonly of: string;
  readonly pages: Pages;
  /** The last row of this page, if there are more. */
  readonly next: string | undefined;
  /** How many rows a full page has, and how many this one has. */
  readonly size: number;
  readonly shown: number;
  /** How many rows there are, where somebody knows. The last page knows by itself. */
  readonly total?: number | undefined;
}

/** Buttons for the previous and the next page, with the place of this page between them. */
export function Pager({ of, pages: { former, go }, next, size, shown, total }: PagerProps): VNode {
  const start = former.length * size;
  const end = start + shown;
  const all = next === undefined ? end : total === undefined ? undefined : Math.max(total, end + 1);
  return (
    <nav class="pages" aria-label={`Pages of ${of}`}>
      <button type="button" disabled={former.length === 0} onClick={() => go(former.slice(0, -1))}>
        ← Previous page
      </button>
      <span class="quiet">
        {shown === 0 ? 'nothing left' : `${count(start + 1)}–${count(end)}`}
        {all === undefined || shown === 0 ? '' : ` of ${count(all)}`}
      </span>
      <button type="button" disabled={next === undefined} onClick={() => next !== undefined && go([...former, next])}>
        Next page →
      </button>
    </nav>
  );
}

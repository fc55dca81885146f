import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';

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
  readonly children?: ComponentChildren;
}

/** Buttons for the former and the next page, with what is said between them. */
export function Pager({ of, pages: { former, go }, next, children }: PagerProps): VNode {
  return (
    <nav class="pages" aria-label={`Pages of ${of}`}>
      <button type="button" disabled={former.length === 0} onClick={() => go(former.slice(0, -1))}>
        ← Former page
      </button>
      {children === undefined ? null : <span class="quiet">{children}</span>}
      <button type="button" disabled={next === undefined} onClick={() => next !== undefined && go([...former, next])}>
        Next page →
      </button>
    </nav>
  );
}

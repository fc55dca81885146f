import type { CellChanges } from './state-order.js';

interface Draft {
  readonly set: Record<string, unknown>;
  readonly del: string[];
  readonly to: Record<string, string>;
}

/** What a tick changes in each cell. */
export class CellPlan {
  private readonly cells = new Map<string, Draft>();

  get changes(): readonly CellChanges[] {
    return [...this.cells].map(([cell, { set, del, to }]) => ({
      cell,
      ...(hasAny(set) && { set }),
      ...(del.length > 0 && { del }),
      ...(hasAny(to) && { to }),
    }));
  }

  /** @param value the whole value if the key was not in this cell */
  set(key: string, cell: string, value: unknown): void {
    this.at(cell).set[key] = value;
  }

  /** @param to where it is now; undefined: it is gone */
  leave(key: string, cell: string, to: string | undefined): void {
    const draft = this.at(cell);
    draft.del.push(key);
    if (to !== undefined && to !== cell) draft.to[key] = to;
  }

  private at(cell: string): Draft {
    const draft = this.cells.get(cell) ?? { set: {}, del: [], to: {} };
    this.cells.set(cell, draft);
    return draft;
  }
}

function hasAny(fields: object): boolean {
  return Object.keys(fields).length > 0;
}

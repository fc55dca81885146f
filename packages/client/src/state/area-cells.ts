import type { Position } from '@gatehouse/protocol';
import { isObject } from '../incoming.js';
import type { StateChange } from './state-types.js';
import { StateTable } from './state-table.js';

interface Cell {
  readonly table: StateTable;
  /** Up to where its publications are known. */
  at?: Position;
}

export interface CellPart extends Position {
  readonly state?: unknown;
  readonly versions?: unknown;
}

/** A key that has left a cell for another one, which has not told yet. */
interface Move {
  readonly to: string;
  readonly seq: number;
}

/** The values of the cells that are looked at, as one map. Each cell is followed by itself; the newest value counts. */
export class AreaCells {
  private readonly _cells = new Map<string, Cell>();
  private readonly _moves = new Map<string, Move>();

  constructor(private readonly _values: Map<string, unknown>) {}

  has(cell: string): boolean {
    return this._cells.has(cell);
  }

  versionOf(key: string): number {
    return this._homeOf(key)?.table.versionOf(key) ?? 0;
  }

  enter(cell: string): void {
    this._cells.set(cell, { table: new StateTable() });
  }

  leave(cells: readonly string[]): StateChange {
    const keys = cells.flatMap((cell) => [
      ...(this._cells.get(cell)?.table.values.keys() ?? []),
      ...this._arrived(cell),
    ]);
    for (const cell of cells) this._cells.delete(cell);
    return this._settle(keys);
  }

  /** Values of one cell. @param isWhole they replace all that is there; otherwise they are a part of it */
  take(name: string, part: CellPart, isWhole: boolean): StateChange {
    const cell = this._cells.get(name);
    if (!cell || (!isWhole && isBehind(part, cell))) return this._settle([]);
    const keys = isWhole ? [...cell.table.values.keys(), ...this._arrived(name)] : [];
    if (isWhole) cell.table.clear();
    // Of several parts, the first one says which publications follow.
    if (isWhole || !cell.at) cell.at = part;
    return this._settle([...keys, ...cell.table.take(part, false).set.keys()]);
  }

  /** Makes the changes of one publication. */
  apply(name: string, data: Record<string, unknown>, at: Position): StateChange {
    const cell = this._cells.get(name);
    if (!cell || isKnown(cell, at)) return this._settle([]);
    cell.at = at;
    for (const [key, to] of Object.entries(isObject(data.to) ? data.to : {})) {
      const next = this._cells.get(to as string);
      // It stays in view until the cell that it enters has told.
      if (next?.at?.epoch === at.epoch && !isKnown(next, at)) this._moves.set(key, { to: to as string, seq: at.seq });
    }
    const { set, removed } = cell.table.apply(data, at.seq);
    return this._settle([...set.keys(), ...removed, ...this._arrived(name, at.seq)]);
  }

  /** All values there are. */
  whole(): StateChange {
    this._values.clear();
    const keys = [...this._cells.values()].flatMap(({ table }) => [...table.values.keys()]);
    return { ...this._settle(keys), isSnapshot: true };
  }

  /** Ends the moves to a cell. Returns their keys. */
  private _arrived(cell: string, seq = Infinity): string[] {
    const keys = [...this._moves].filter(([, move]) => move.to === cell && move.seq <= seq).map(([key]) => key);
    for (const key of keys) this._moves.delete(key);
    return keys;
  }

  private _homeOf(key: string): Cell | undefined {
    let home: Cell | undefined;
    for (const cell of this._cells.values()) {
      const { table } = cell;
      if (table.values.has(key) && table.versionOf(key) >= (home?.table.versionOf(key) ?? 0)) home = cell;
    }
    return home;
  }

  private _settle(keys: Iterable<string>): StateChange {
    const set = new Map<string, unknown>();
    const removed: string[] = [];
    for (const key of new Set(keys)) {
      const home = this._homeOf(key);
      if (home) {
        const value = home.table.values.get(key);
        this._values.set(key, value);
        set.set(key, value);
      } else if (!this._moves.has(key) && this._values.delete(key)) removed.push(key);
    }
    return { set, removed, isSnapshot: false };
  }
}

function isKnown({ at }: Cell, { epoch, seq }: Position): boolean {
  return at?.epoch === epoch && seq <= at.seq;
}

/** Whether a part was read before the cell was sent again. */
function isBehind({ epoch, seq }: Position, { at }: Cell): boolean {
  return at !== undefined && (epoch !== at.epoch || seq < at.seq);
}

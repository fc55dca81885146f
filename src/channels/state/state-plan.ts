import type { ErrorCode } from '@gatehouse/protocol';
import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import type { StateChange, StateEntry } from '../../cluster/ports/state-store.js';
import type { AreaOptions } from '../../../config/area-options.js';
import { cellOf } from './area-grid.js';
import { CellPlan } from './cell-plan.js';
import { merge, patchBetween } from './merge-patch.js';
import type { CellChanges, StateChanges, StateOrder } from './state-order.js';

/** Why an order is refused. */
export type StateRefusal = Extract<
  ErrorCode,
  'CONFLICT' | 'FORBIDDEN' | 'MESSAGE_TOO_LARGE' | 'STATE_LIMIT_REACHED' | 'VALIDATION_FAILED'
>;

export interface StatePlanOptions {
  readonly valueBytes: number;
  /** Keys that must not be added, because there is no room. */
  readonly refused: ReadonlySet<string>;
  /** If each key has a place. */
  readonly area?: AreaOptions | undefined;
}

/** One key while the orders of a tick are carried out. */
interface Draft {
  readonly base: StateEntry | undefined;
  value: unknown;
  owner: string | undefined;
  /** Approximate size of the value. Undefined: it has not changed. */
  bytes: number | undefined;
  /** Where an order has put it, if each key has a place. */
  cell: string | undefined;
  /** Whether an order has been accepted. */
  isTouched: boolean;
  onlyExpires: boolean;
  /** What becomes of the key once all orders are carried out. */
  what: StateChange['what'];
}

/** What the orders of a tick come to, from the entries as they are known. */
export class StatePlan {
  readonly publication: StateChanges | undefined;
  /** Undefined where an order is carried out. */
  readonly refusals: readonly (StateRefusal | undefined)[];
  readonly changes: readonly StateChange[];
  private readonly keys = new Map<string, Draft>();
  private readonly plannedCells = new CellPlan();

  /** @param known undefined: absent, or not known yet */
  constructor(
    orders: readonly StateOrder[],
    known: (key: string) => StateEntry | undefined,
    private readonly options: StatePlanOptions,
  ) {
    const { refused } = options;
    this.refusals = orders.map((order) => {
      const draft = this.keys.get(order.key) ?? draftOf(known(order.key));
      this.keys.set(order.key, draft);
      return refused.has(order.key) ? 'STATE_LIMIT_REACHED' : carryOut(order, draft, options);
    });
    const set: Record<string, unknown> = {};
    const del: string[] = [];
    this.changes = Array.from(this.keys, ([key, draft]) => this.changeOf(key, draft, { set, del }));
    const isSet = this.changes.some(({ what }) => what === 'set');
    if (isSet || del.length > 0) this.publication = { ...(isSet && { set }), ...(del.length > 0 && { del }) };
  }

  /** What the subscribers of each cell are told. */
  get cells(): readonly CellChanges[] {
    return this.plannedCells.changes;
  }

  /** Keys that would be added. */
  get additions(): readonly string[] {
    return this.changes.filter(({ what, expected }) => what === 'set' && expected === 0).map(({ key }) => key);
  }

  /** Whether the subscribers are told of the key because of an order. */
  isChanged(key: string): boolean {
    const what = this.keys.get(key)?.what;
    return what === 'set' || what === 'remove';
  }

  /** A key as it is once the plan is carried out, with this version if it changes. */
  after(key: string, version: number): StateEntry | undefined {
    const draft = this.keys.get(key);
    if (draft === undefined || draft.value === undefined) return undefined;
    const { base, value, owner, what } = draft;
    return { key, value, owner, hasExpired: false, version: what === 'set' ? version : (base?.version ?? 0) };
  }

  /** Approximate size of a value that has changed. */
  bytesAfter(key: string): number | undefined {
    return this.keys.get(key)?.bytes;
  }

  private changeOf(key: string, draft: Draft, { set, del }: Told): StateChange {
    const { base, value, owner } = draft;
    const patch = value === undefined ? undefined : patchBetween(present(base)?.value, value);
    draft.what = whatOf(draft, patch);
    const { what } = draft;
    const isGone = what === 'remove' || what === 'expire' || (what === 'set' && base?.hasExpired);
    if (isGone) del.push(key);
    if (what === 'set') set[key] = patch;
    const change = { key, what, expected: base?.version ?? 0 };
    const { formerCell, cell } = this.placed(key, draft, patch);
    return what === 'set' ? { ...change, value, owner, formerCell, cell } : { ...change, formerCell };
  }

  private placed(key: string, { base, value, what, cell: ordered }: Draft, patch: unknown): Places {
    const { area } = this.options;
    if (area === undefined || what === 'keep' || what === 'check') return nowhere;
    const formerCell = base && cellOf(area, base.value);
    const cell = what === 'set' ? ordered : undefined;
    const isNew = base === undefined || base.hasExpired;
    if (formerCell !== undefined && (isNew || cell !== formerCell)) this.plannedCells.leave(key, formerCell, cell);
    // Viewers of the cell that it enters have no value that a patch could be merged into.
    if (cell !== undefined) this.plannedCells.set(key, cell, isNew || cell !== formerCell ? value : patch);
    return { formerCell, cell };
  }
}

/** What the publication of a tick is made of. */
interface Told {
  readonly set: Record<string, unknown>;
  readonly del: string[];
}

type Places = Pick<StateChange, 'formerCell' | 'cell'>;

const nowhere: Places = {};

/** @param patch from the value there was; undefined: it is the same, or there is none any more */
function whatOf({ base, value, isTouched, onlyExpires }: Draft, patch: unknown): StateChange['what'] {
  if (!isTouched) return 'check';
  if (value !== undefined) return patch === undefined ? 'keep' : 'set';
  if (base === undefined) return 'check';
  return onlyExpires ? 'expire' : 'remove';
}

/** A key whose time is over counts as absent. */
function present(entry: StateEntry | undefined): StateEntry | undefined {
  return entry?.hasExpired ? undefined : entry;
}

function draftOf(base: StateEntry | undefined): Draft {
  const { value, owner } = present(base) ?? { value: undefined, owner: undefined };
  return { base, value, owner, bytes: undefined, cell: undefined, isTouched: false, onlyExpires: false, what: 'check' };
}

function carryOut(order: StateOrder, draft: Draft, { valueBytes, area }: StatePlanOptions): StateRefusal | undefined {
  const { what, patch, ifVersion, owner, isOwnOnly = false } = order;
  if (what === 'expire') {
    // Set meanwhile, here or elsewhere.
    if (draft.isTouched || !draft.base?.hasExpired) return undefined;
    draft.isTouched = true;
    draft.onlyExpires = true;
    draft.bytes = 0;
    return undefined;
  }
  const isThere = draft.value !== undefined;
  const version = present(draft.base)?.version ?? 0;
  // What another order of this tick has changed has no version yet.
  if (ifVersion !== undefined && (draft.isTouched || ifVersion !== version)) return 'CONFLICT';
  if (isThere && isOwnOnly && draft.owner !== owner) return 'FORBIDDEN';
  const value = what === 'remove' ? undefined : merge(what === 'set' ? draft.value : undefined, patch);
  const bytes = approximateBytes(value);
  if (bytes > valueBytes) return 'MESSAGE_TOO_LARGE';
  const cell = area && cellOf(area, value);
  if (area !== undefined && value !== undefined && cell === undefined) return 'VALIDATION_FAILED';
  draft.value = value;
  draft.bytes = bytes;
  draft.cell = cell;
  draft.isTouched = true;
  draft.onlyExpires = false;
  if (!isThere) draft.owner = owner;
  return undefined;
}

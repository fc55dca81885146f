import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import type { StateView } from './state-view.js';

/** Approximate bytes of the values in one reply. At least one is in it. */
export const PAGE_BYTES = 1_048_576;

/** A part of the state of a channel. */
export interface StateSlice {
  readonly state: Readonly<Record<string, unknown>>;
  /** Key → version, for `ifVersion`. */
  readonly versions: Readonly<Record<string, number>>;
  /** There is more to ask for. Absent otherwise. */
  readonly more?: true;
}

/** A part, and its approximate size. */
export interface SizedSlice {
  readonly slice: StateSlice;
  readonly bytes: number;
}

/**
 * Reads a state from start to end while it changes: the reader gets each change besides, so no value is missed. Between
 * two parts it holds on to nothing, because a reader may never ask for the next one, and an iterator of a Map keeps
 * every table that the Map has outgrown. The price is a walk over what was read, about 10 ns for each key.
 */
export class StatePages {
  private isOver = false;
  private readUpTo = 0;

  constructor(private readonly view: StateView) {}

  next(): SizedSlice {
    const state: Record<string, unknown> = {};
    const versions: Record<string, number> = {};
    if (this.isOver) return { slice: { state, versions }, bytes: 0 };
    let bytes = 0;
    for (const [key, { value, version, place }] of this.view.entries()) {
      if (place <= this.readUpTo) continue;
      if (bytes >= PAGE_BYTES) return { slice: { state, versions, more: true }, bytes };
      state[key] = value;
      versions[key] = version;
      bytes += 2 * key.length + approximateBytes(value);
      this.readUpTo = place;
    }
    this.isOver = true;
    return { slice: { state, versions }, bytes };
  }
}

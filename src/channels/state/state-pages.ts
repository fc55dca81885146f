import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import type { SeenValue } from './state-view.js';

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

/** Reads a state from start to end while it changes: the reader gets each change besides, so no value is missed. */
export class StatePages {
  private isOver = false;

  constructor(private readonly entries: Iterator<[string, SeenValue]>) {}

  next(): SizedSlice {
    const state: Record<string, unknown> = {};
    const versions: Record<string, number> = {};
    let bytes = 0;
    // No value is read ahead: it may be another one, or gone, by the time of the next part.
    while (!this.isOver && bytes < PAGE_BYTES) {
      const { done, value: entry } = this.entries.next();
      this.isOver = done === true;
      if (done) break;
      const [key, { value, version }] = entry;
      state[key] = value;
      versions[key] = version;
      bytes += 2 * key.length + approximateBytes(value);
    }
    return { slice: this.isOver ? { state, versions } : { state, versions, more: true }, bytes };
  }
}

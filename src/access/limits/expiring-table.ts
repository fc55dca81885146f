import { hashOf, placeAmong } from './key-hash.js';

/** Slots in which a key may be stored. If all are taken, the entry that expires first is replaced. */
const WAYS = 4;
const UNTIL = WAYS;
const VALUE = WAYS * 2;
const SET = WAYS * 3;

/**
 * A number for each key, until a time. It has a fixed size and no object per entry, so ten million addresses cost no
 * more than the first. In a Map each would cost 200 bytes and 3 µs, mostly for garbage collection.
 */
export class ExpiringTable {
  /** By set: the hashes of its keys, their expiry, their numbers. Stored together to save memory accesses. */
  private cells = new Float64Array();
  private readonly sets: number;
  /** Number of entries that were replaced before they expired. */
  dropped = 0;

  /** @param places a power of two, 24 bytes each; memory is taken with the first entry, and used as they fill */
  constructor(places: number) {
    this.sets = places / WAYS;
  }

  /** @param now on the same clock as `until` */
  get(key: string, now: number): number | undefined {
    const place = this.placeOf(hashOf(key));
    return place !== undefined && this.untilOf(place) > now ? this.cells[place + VALUE] : undefined;
  }

  set(key: string, value: number, { now, until }: { readonly now: number; readonly until: number }): void {
    // Most servers never refuse or ban anybody: 20 MB for that took a tenth of the processor time of their start.
    if (this.cells.length === 0) this.cells = new Float64Array(this.sets * SET);
    const hash = hashOf(key);
    const place = this.placeOf(hash) ?? this.roomFor(hash, now);
    this.cells[place] = hash;
    this.cells[place + UNTIL] = until;
    this.cells[place + VALUE] = value;
  }

  delete(key: string): void {
    const place = this.placeOf(hashOf(key));
    if (place === undefined) return;
    this.cells[place] = 0;
    this.cells[place + UNTIL] = 0;
  }

  private placeOf(hash: number): number | undefined {
    const first = placeAmong(this.sets, hash) * SET;
    for (let place = first; place < first + WAYS; place += 1) if (this.cells[place] === hash) return place;
    return undefined;
  }

  private roomFor(hash: number, now: number): number {
    const first = placeAmong(this.sets, hash) * SET;
    let soonest = first;
    for (let place = first; place < first + WAYS; place += 1) {
      if (this.untilOf(place) < this.untilOf(soonest)) soonest = place;
    }
    if (this.untilOf(soonest) > now) this.dropped += 1;
    return soonest;
  }

  private untilOf(place: number): number {
    return this.cells[place + UNTIL] ?? 0;
  }
}

import type { ListRecord, Named } from '../ports/record-store.js';

/** Dropped records that the heap may hold, in addition to the number of records in force, before it is rebuilt. */
const MAX_STALE = 100;

/**
 * Records by kind and key, with quick access to the one that ends first. A binary heap, in which dropped records stay until
 * they reach the top. A sorted array would move 800 KB for each removed record of 100,000.
 */
export class RecordsByEnding<R extends ListRecord> {
  /** One map for each kind. A key made of both would need a string of its own. */
  private readonly byKind = new Map<string, Map<string, R>>();
  private heap: R[] = [];

  all(): readonly R[] {
    return [...this.byKind.values()].flatMap((ofKind) => [...ofKind.values()]);
  }

  get size(): number {
    let size = 0;
    for (const ofKind of this.byKind.values()) size += ofKind.size;
    return size;
  }

  get({ kind, key }: Named): R | undefined {
    return this.byKind.get(kind)?.get(key);
  }

  /** Replaces a record of the same kind and key. */
  add(record: R): void {
    const ofKind = this.byKind.get(record.kind) ?? new Map<string, R>();
    this.byKind.set(record.kind, ofKind.set(record.key, record));
    this.heap.push(record);
    this.rise(this.heap.length - 1);
    if (this.heap.length > this.size * 2 + MAX_STALE) this.tidy();
  }

  drop({ kind, key }: Named): boolean {
    return this.byKind.get(kind)?.delete(key) === true;
  }

  dropSoonest(): void {
    for (let record = this.pop(); record !== undefined; record = this.pop()) if (this.dropThis(record)) return;
  }

  dropEnded(now: number): void {
    for (let [soonest] = this.heap; soonest !== undefined && soonest.until <= now; [soonest] = this.heap) {
      this.pop();
      this.dropThis(soonest);
    }
  }

  /** False if it was dropped or replaced before. */
  private dropThis(record: R): boolean {
    return this.get(record) === record && this.drop(record);
  }

  private tidy(): void {
    // A sorted array is a heap as well.
    this.heap = [...this.all()].sort((one, other) => one.until - other.until);
  }

  private pop(): R | undefined {
    const [soonest] = this.heap;
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return soonest;
    this.heap[0] = last;
    this.sink();
    return soonest;
  }

  private rise(from: number): void {
    for (let index = from; index > 0;) {
      const parent = (index - 1) >> 1;
      if (this.endOf(parent) <= this.endOf(index)) return;
      this.swap(index, parent);
      index = parent;
    }
  }

  private sink(): void {
    for (let index = 0; ;) {
      const left = index * 2 + 1;
      const child = this.endOf(left + 1) < this.endOf(left) ? left + 1 : left;
      if (this.endOf(index) <= this.endOf(child)) return;
      this.swap(index, child);
      index = child;
    }
  }

  private endOf(index: number): number {
    return this.heap[index]?.until ?? Infinity;
  }

  private swap(one: number, other: number): void {
    const [a, b] = [this.heap[one], this.heap[other]];
    if (a === undefined || b === undefined) return;
    this.heap[one] = b;
    this.heap[other] = a;
  }
}

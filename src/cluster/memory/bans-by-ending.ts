import type { Ban } from '../ports/ban-store.js';

type Named = Pick<Ban, 'kind' | 'key'>;

/** Dropped bans that the heap may hold, in addition to the number of bans in force, before it is rebuilt. */
const MAX_STALE = 100;

/**
 * Bans by key, with quick access to the one that ends first. A binary heap, in which dropped bans stay until they reach
 * the top. A sorted array would move 800 KB for each removed ban of 100,000.
 */
export class BansByEnding {
  /** One map for each kind. A key made of both would need a string of its own. */
  private readonly byKey = { address: new Map<string, Ban>(), user: new Map<string, Ban>() };
  private heap: Ban[] = [];

  all(): readonly Ban[] {
    return [...this.byKey.address.values(), ...this.byKey.user.values()];
  }

  get size(): number {
    return this.byKey.address.size + this.byKey.user.size;
  }

  has({ kind, key }: Named): boolean {
    return this.byKey[kind].has(key);
  }

  get({ kind, key }: Named): Ban | undefined {
    return this.byKey[kind].get(key);
  }

  /** Replaces a ban of the same kind and key. */
  add(ban: Ban): void {
    this.byKey[ban.kind].set(ban.key, ban);
    this.heap.push(ban);
    this.rise(this.heap.length - 1);
    if (this.heap.length > this.size * 2 + MAX_STALE) this.tidy();
  }

  drop({ kind, key }: Named): boolean {
    return this.byKey[kind].delete(key);
  }

  dropSoonest(): void {
    for (let ban = this.pop(); ban !== undefined; ban = this.pop()) if (this.dropThis(ban)) return;
  }

  dropEnded(now: number): void {
    for (let [soonest] = this.heap; soonest !== undefined && soonest.until <= now; [soonest] = this.heap) {
      this.pop();
      this.dropThis(soonest);
    }
  }

  /** False if it was dropped or replaced before. */
  private dropThis(ban: Ban): boolean {
    return this.byKey[ban.kind].get(ban.key) === ban && this.drop(ban);
  }

  private tidy(): void {
    // A sorted array is a heap as well.
    this.heap = [...this.all()].sort((one, other) => one.until - other.until);
  }

  private pop(): Ban | undefined {
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

import type { CountKind, SharedCounts } from '../ports/shared-counts.js';

/** Counts of a single node. */
export class MemorySharedCounts implements SharedCounts {
  private readonly counts: Record<CountKind, Map<string, number>> = { user: new Map(), address: new Map() };

  constructor(private readonly nodeId: string) {}

  /** The number of users and addresses that take memory. */
  get size(): number {
    return this.counts.user.size + this.counts.address.size;
  }

  async take(kind: CountKind, key: string, limit: number): Promise<boolean> {
    const count = this.counts[kind].get(key) ?? 0;
    if (limit > 0 && count >= limit) return false;
    this.counts[kind].set(key, count + 1);
    return true;
  }

  release(kind: CountKind, key: string): void {
    const left = (this.counts[kind].get(key) ?? 0) - 1;
    if (left > 0) this.counts[kind].set(key, left);
    else this.counts[kind].delete(key);
  }

  async byNode(kind: CountKind, key: string): Promise<ReadonlyMap<string, number>> {
    const count = this.counts[kind].get(key);
    return new Map(count === undefined ? [] : [[this.nodeId, count]]);
  }
}

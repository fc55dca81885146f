import {
  MAX_REVOCATIONS,
  nameOf,
  type Restated,
  type Revocation,
  type RevocationStore,
} from '../ports/revocation-store.js';

/** Revocations of a single node. */
export class MemoryRevocationStore implements RevocationStore {
  private readonly byName = new Map<string, Revocation>();

  constructor(private readonly max = MAX_REVOCATIONS) {}

  async put(revocation: Revocation): Promise<boolean> {
    const name = nameOf(revocation);
    if (!this.byName.has(name) && this.byName.size >= this.max) this.dropEnded();
    if (!this.byName.has(name) && this.byName.size >= this.max) return false;
    this.byName.set(name, revocation);
    return true;
  }

  async restate(revocations: readonly Revocation[]): Promise<Restated> {
    let [taken, refused] = [0, 0];
    for (const one of revocations) {
      const present = this.byName.get(nameOf(one));
      if (one.until <= Date.now() || JSON.stringify(present) === JSON.stringify(one)) continue;
      if (await this.put(one)) taken += 1;
      else refused += 1;
    }
    return { taken, refused };
  }

  async lift(kind: Revocation['kind'], key: string): Promise<boolean> {
    this.dropEnded();
    return this.byName.delete(nameOf({ kind, key }));
  }

  async list(): Promise<readonly Revocation[]> {
    this.dropEnded();
    return [...this.byName.values()];
  }

  /** The list ends with the node. */
  async life(): Promise<string> {
    return 'this node';
  }

  private dropEnded(): void {
    const now = Date.now();
    for (const [name, { until }] of this.byName) if (until <= now) this.byName.delete(name);
  }
}

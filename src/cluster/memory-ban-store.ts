import type { Ban, BanStore } from './ban-store.js';

/** Beyond this many the ban that ends soonest gives way: an attacker with endless addresses must not fill the memory. */
export const MAX_BANS = 100_000;

/** Bans of a node that is the only one. */
export class MemoryBanStore implements BanStore {
  private readonly byName = new Map<string, Ban>();
  /** The soonest to end first. Kept in order by insertion: moving 100,000 references takes less than what a heap would save. */
  private readonly byEnding: Ban[] = [];

  constructor(private readonly maxBans = MAX_BANS) {}

  async put(ban: Ban): Promise<void> {
    this.dropEnded();
    this.drop(ban);
    if (ban.until <= Date.now()) return;
    this.byName.set(nameOf(ban), ban);
    this.byEnding.splice(this.firstEndingAt(ban.until), 0, ban);
    const [soonest] = this.byEnding;
    if (soonest && this.byEnding.length > this.maxBans) this.drop(soonest);
  }

  async lift(kind: Ban['kind'], key: string): Promise<boolean> {
    this.dropEnded();
    return this.drop({ kind, key });
  }

  async list(): Promise<readonly Ban[]> {
    this.dropEnded();
    return [...this.byEnding];
  }

  /** It ends with its node. */
  async life(): Promise<string> {
    return 'this node';
  }

  private dropEnded(): void {
    for (const ban of this.byEnding.splice(0, this.firstEndingAt(Date.now() + 1))) this.byName.delete(nameOf(ban));
  }

  private drop(named: Pick<Ban, 'kind' | 'key'>): boolean {
    const name = nameOf(named);
    const ban = this.byName.get(name);
    if (!ban) return false;
    this.byName.delete(name);
    this.byEnding.splice(this.byEnding.indexOf(ban, this.firstEndingAt(ban.until)), 1);
    return true;
  }

  /** The index of the first ban that ends then or later. */
  private firstEndingAt(time: number): number {
    let [low, high] = [0, this.byEnding.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.byEnding[middle]?.until ?? Infinity) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function nameOf({ kind, key }: Pick<Ban, 'kind' | 'key'>): string {
  return `${kind}:${key}`;
}

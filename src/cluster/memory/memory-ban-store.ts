import type { Ban, BanStore } from '../ports/ban-store.js';
import { BansByEnding } from './bans-by-ending.js';

/**
 * Beyond this number, the ban that ends first is dropped, automatic bans before those of operators. An attacker with
 * endless addresses must not fill the memory.
 */
export const MAX_BANS = 100_000;

type Named = Pick<Ban, 'kind' | 'key'>;

/** Bans of a single node. */
export class MemoryBanStore implements BanStore {
  private readonly breaches = new BansByEnding();
  private readonly operators = new BansByEnding();

  constructor(private readonly maxBans = MAX_BANS) {}

  async put(ban: Ban): Promise<void> {
    this.dropEnded();
    if (ban.by === 'breach' && this.operators.has(ban)) return;
    this.drop(ban);
    if (ban.until <= Date.now()) return;
    (ban.by === 'breach' ? this.breaches : this.operators).add(ban);
    if (this.breaches.size + this.operators.size <= this.maxBans) return;
    (this.breaches.size > 0 ? this.breaches : this.operators).dropSoonest();
  }

  async restate(bans: readonly Ban[]): Promise<number> {
    let taken = 0;
    for (const ban of bans) {
      const present = this.operators.get(ban) ?? this.breaches.get(ban);
      const isLonger = ban.by === 'operator' && ban.until > (present?.until ?? 0);
      if (ban.until <= Date.now() || (present !== undefined && !isLonger)) continue;
      await this.put(ban);
      taken += 1;
    }
    return taken;
  }

  async lift(kind: Ban['kind'], key: string): Promise<boolean> {
    this.dropEnded();
    return this.drop({ kind, key });
  }

  async list(): Promise<readonly Ban[]> {
    this.dropEnded();
    return [...this.operators.all(), ...this.breaches.all()];
  }

  /** The list ends with the node. */
  async life(): Promise<string> {
    return 'this node';
  }

  private dropEnded(): void {
    const now = Date.now();
    this.breaches.dropEnded(now);
    this.operators.dropEnded(now);
  }

  private drop(named: Named): boolean {
    return this.breaches.drop(named) || this.operators.drop(named);
  }
}

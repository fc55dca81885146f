import type { Ban } from '../../cluster/ports/ban-store.js';
import { giverOf, isAbove } from '../../cluster/ports/given-order.js';
import { TwoGenerationCache } from '../limits/two-generation-cache.js';

/**
 * Automatic bans of one generation. An attacker with endless addresses must not fill the memory, so the older
 * generation is dropped beyond this number. At most twice as many are kept, about 15 MiB.
 */
const GENERATION_SIZE = 50_000;
/** Most bans of operators. Beyond it, the oldest is dropped. */
const MAX_OF_OPERATORS = 100_000;

/** The bans that this node knows, for the check at every upgrade. */
export class BanList {
  /** By address. */
  private readonly breaches = new TwoGenerationCache<Ban>(GENERATION_SIZE);
  /** Made by operators. No attack can displace them. */
  private readonly operators = new Map<string, Ban>();
  /** Counts what operators did, for those who look now and then. */
  changes = 0;

  /**
   * Replaces a ban of the same kind and key. A breach never replaces an operator's ban, and a SERVICE never replaces an
   * ADMIN's.
   *
   * @param now milliseconds since 1970
   */
  put(ban: Ban, now: number): void {
    if (ban.by === 'breach') return this.putBreach(ban, now);
    const present = this.inForce(ban.kind, ban.key, now);
    if (present?.by === 'operator' && isAbove(giverOf(present), giverOf(ban))) return;
    // Deleted first, so that it goes to the end of the order.
    this.lift(ban.kind, ban.key);
    if (ban.until <= now) return;
    this.operators.set(nameOf(ban), ban);
    this.changes += 1;
    if (this.operators.size > MAX_OF_OPERATORS) dropOldest(this.operators);
  }

  lift(kind: Ban['kind'], key: string): boolean {
    const wasOfBreach = kind === 'address' && this.breaches.delete(key);
    const wasOfOperator = this.operators.delete(nameOf({ kind, key }));
    if (wasOfOperator) this.changes += 1;
    return wasOfOperator || wasOfBreach;
  }

  /** The ban in force; undefined if there is none. */
  inForce(kind: Ban['kind'], key: string, now: number): Ban | undefined {
    const ban = this.get(kind, key);
    if (ban === undefined || ban.until > now) return ban;
    this.lift(kind, key);
    return undefined;
  }

  get(kind: Ban['kind'], key: string): Ban | undefined {
    const ofBreach = kind === 'address' ? this.breaches.get(key) : undefined;
    // The usual case, for which no key needs to be built.
    if (this.operators.size === 0) return ofBreach;
    return this.operators.get(nameOf({ kind, key })) ?? ofBreach;
  }

  /** The bans in force. */
  active(now: number): readonly Ban[] {
    const bans = this.all();
    for (const { kind, key, until } of bans) if (until <= now) this.lift(kind, key);
    return bans.filter(({ until }) => until > now);
  }

  /** Those of operators that are in force. */
  ordered(now: number): readonly Ban[] {
    return [...this.operators.values()].filter(({ until }) => until > now);
  }

  /** All bans, including expired ones that have not been looked up since. */
  all(): readonly Ban[] {
    return [...this.operators.values(), ...this.breaches.values()];
  }

  /** Number of bans that were dropped early because there were too many. */
  get dropped(): number {
    return this.breaches.dropped;
  }

  private putBreach(ban: Ban, now: number): void {
    if (this.inForce(ban.kind, ban.key, now)?.by === 'operator') return;
    if (ban.until > now) this.breaches.set(ban.key, ban);
    else this.breaches.delete(ban.key);
  }
}

function nameOf({ kind, key }: Pick<Ban, 'kind' | 'key'>): string {
  return `${kind} ${key}`;
}

function dropOldest(bans: Map<string, Ban>): void {
  for (const name of bans.keys()) {
    bans.delete(name);
    return;
  }
}

import type { Ban } from '../cluster/ban-store.js';

/** Beyond this many of a kind the oldest gives way: an attacker with endless addresses must not fill the memory. */
const MAX_BANS = 100_000;

/** The bans that this node knows, for the check at every upgrade. */
export class BanList {
  /** Those that end soon, as the automatic ones do. */
  private readonly passing = new Map<string, Ban>();
  /** Those that last longer: an operator made them, and no attack drives them out. */
  private readonly lasting = new Map<string, Ban>();

  /** @param passingMs bans that last no longer than this are passing ones */
  constructor(private readonly passingMs: number) {}

  /**
   * The same kind and key again replaces the ban.
   *
   * @param now milliseconds since 1970
   */
  put(ban: Ban, now: number): void {
    const key = keyOf(ban.kind, ban.key);
    // Deleted first, so that it goes to the end of the order.
    this.lift(ban.kind, ban.key);
    if (ban.until <= now) return;
    const bans = ban.until - now <= this.passingMs ? this.passing : this.lasting;
    bans.set(key, ban);
    if (bans.size > MAX_BANS) dropOldest(bans);
  }

  lift(kind: Ban['kind'], key: string): boolean {
    const text = keyOf(kind, key);
    const wasPassing = this.passing.delete(text);
    return this.lasting.delete(text) || wasPassing;
  }

  isBanned(kind: Ban['kind'], key: string, now: number): boolean {
    // The usual case, for which no key need be put together.
    if (this.passing.size === 0 && this.lasting.size === 0) return false;
    const ban = this.get(kind, key);
    if (ban === undefined) return false;
    if (ban.until > now) return true;
    this.lift(kind, key);
    return false;
  }

  get(kind: Ban['kind'], key: string): Ban | undefined {
    const text = keyOf(kind, key);
    return this.passing.get(text) ?? this.lasting.get(text);
  }

  /** The bans in force. */
  active(now: number): readonly Ban[] {
    const bans = [...this.passing.values(), ...this.lasting.values()];
    for (const { kind, key, until } of bans) if (until <= now) this.lift(kind, key);
    return bans.filter(({ until }) => until > now);
  }

  /** The bans in force that an operator made. */
  lastingOnes(): readonly Ban[] {
    return [...this.lasting.values()];
  }
}

function keyOf(kind: Ban['kind'], key: string): string {
  return `${kind} ${key}`;
}

function dropOldest(bans: Map<string, Ban>): void {
  for (const key of bans.keys()) {
    bans.delete(key);
    return;
  }
}

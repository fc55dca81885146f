/** Beyond this many the oldest ban gives way: an attacker with endless addresses must not fill the memory. */
const MAX_BANS = 100_000;

/** Addresses that may not connect for a while. */
export class BanList {
  private readonly endings = new Map<string, number>();

  /** @param durationMs zero: nobody is banned */
  constructor(private readonly durationMs: number) {}

  /** @param now milliseconds since 1970 */
  ban(key: string, now: number): void {
    if (this.durationMs === 0) return;
    // Deleted first, so that the map stays ordered by ending and the sweep can stop at the first that lasts.
    this.endings.delete(key);
    this.endings.set(key, now + this.durationMs);
    if (this.endings.size > MAX_BANS) this.dropOldest();
  }

  isBanned(key: string, now: number): boolean {
    const end = this.endings.get(key);
    if (end === undefined) return false;
    if (end > now) return true;
    this.endings.delete(key);
    return false;
  }

  /** How many bans are in force. */
  active(now: number): number {
    for (const [key, end] of this.endings) {
      if (end > now) break;
      this.endings.delete(key);
    }
    return this.endings.size;
  }

  private dropOldest(): void {
    for (const key of this.endings.keys()) {
      this.endings.delete(key);
      return;
    }
  }
}

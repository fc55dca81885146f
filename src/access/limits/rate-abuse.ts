/** Refusals are counted within this time. */
const WINDOW_MS = 10_000;
/** A client cannot react before its first refusal arrives. Messages until then are no abuse. */
const GRACE_MS = 1_000;

/** Detects a session that keeps sending over its rate. */
export class RateAbuse {
  private startedAt = -Infinity;
  private count = 0;

  /** @param limit refusals within the window, without its beginning */
  constructor(private readonly limit: number) {}

  /**
   * Counts a refused message. Returns whether the limit is reached.
   *
   * @param now milliseconds on any steady clock
   */
  refused(now: number): boolean {
    if (now - this.startedAt > WINDOW_MS) {
      this.startedAt = now;
      this.count = 0;
    }
    if (now - this.startedAt < GRACE_MS) return false;
    this.count += 1;
    return this.count >= this.limit;
  }
}

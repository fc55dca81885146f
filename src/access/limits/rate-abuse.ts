/** Refusals are counted within this time. */
const WINDOW_MS = 10_000;
/** A client that sends a burst cannot know before its first refusal has come back: what it sends until then is no abuse. */
const GRACE_MS = 1_000;

/** Whether a session goes on and on over its rate. */
export class RateAbuse {
  private startedAt = -Infinity;
  private count = 0;

  /** @param limit refusals within the window, less its beginning */
  constructor(private readonly limit: number) {}

  /** One more message was refused. Returns whether it is enough. @param now milliseconds on any steady clock */
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

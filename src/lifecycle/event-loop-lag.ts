const TICK_MS = 20;

/**
 * How late the event loop is. Of the stalls of a period each counts by its length: the lag is how long the stall lasts
 * that a moment chosen at random falls into. The plain mean would count a stall of three seconds once, beside fifty
 * ticks a second that were on time.
 *
 * A timer of our own, since the histogram of `monitorEventLoopDelay` loses the interval in which it is reset: when the
 * one that reads it is late for the same stall, that is the stall.
 */
export class EventLoopLag {
  private timer: NodeJS.Timeout | undefined;
  private tickedAt = 0;
  private sum = 0;
  private sumOfSquares = 0;

  start(): void {
    this.tickedAt = performance.now();
    this.timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Milliseconds of lag in the period that ends now; the next one begins. */
  take(): number {
    this.tick();
    const { sum, sumOfSquares } = this;
    this.sum = 0;
    this.sumOfSquares = 0;
    if (sum === 0) return 0;
    // An idle loop turns with each tick, and not later.
    return Math.max(0, Math.round((sumOfSquares / sum - TICK_MS) * 10) / 10);
  }

  private tick(): void {
    const now = performance.now();
    const interval = now - this.tickedAt;
    this.tickedAt = now;
    this.sum += interval;
    this.sumOfSquares += interval * interval;
  }
}

const TICK_MS = 20;

/**
 * Measures how late the event loop is. The lag of a period is the expected delay of a random moment in it, so each
 * stall counts by its length. A plain mean would count a stall of three seconds once, beside fifty timely ticks a
 * second.
 *
 * A timer of our own, because the histogram of `monitorEventLoopDelay` loses the stall in which it is reset.
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
    // An idle event loop turns with each tick, and not later.
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

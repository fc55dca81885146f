import { createHistogram } from 'node:perf_hooks';

/** How often the event loop of a busy process is looked at. */
export const BUSY_TICK_MS = 20;
/** As often as the load is measured, in the same turn: each wake-up of an idle process costs about 0.1 ms. */
export const IDLE_TICK_MS = 500;

/**
 * Measures how late the event loop is. The lag of a period is the expected delay of a random moment in it, so each
 * stall counts by its length. A plain mean would count a stall of three seconds once, beside fifty timely ticks a
 * second.
 *
 * A timer of our own, because the histogram of `monitorEventLoopDelay` loses the stall in which it is reset.
 */
export class EventLoopLag {
  /** How late the loop came to each look since the last reset, in nanoseconds. */
  readonly delays = createHistogram();
  /** As they are now: the pace may change while a test has taken the place of the timers. */
  private readonly timers = { setInterval, clearInterval };
  private timer: NodeJS.Timeout | undefined;
  private tickMs = BUSY_TICK_MS;
  private tickedAt = 0;
  private sum = 0;
  private sumOfSquares = 0;

  start(): void {
    this.tickedAt = performance.now();
    this.timer = this.timers.setInterval(() => this.look(), this.tickMs).unref();
  }

  stop(): void {
    this.timers.clearInterval(this.timer);
    this.timer = undefined;
  }

  /**
   * Milliseconds of lag in the period that ends now; the next one begins.
   *
   * @param nextTickMs how often the loop is looked at in the next period. A stall shorter than that may not show
   */
  take(nextTickMs = this.tickMs): number {
    this.tick();
    const { sum, sumOfSquares, tickMs } = this;
    this.sum = 0;
    this.sumOfSquares = 0;
    this.lookEvery(nextTickMs);
    if (sum === 0) return 0;
    // An idle event loop turns with each tick, and not later.
    return Math.max(0, Math.round((sumOfSquares / sum - tickMs) * 10) / 10);
  }

  private lookEvery(tickMs: number): void {
    if (tickMs === this.tickMs) return;
    this.tickMs = tickMs;
    if (this.timer === undefined) return;
    this.timers.clearInterval(this.timer);
    this.start();
  }

  private look(): void {
    const interval = this.tick();
    this.delays.record(Math.max(1, Math.round((interval - this.tickMs) * 1e6)));
  }

  private tick(): number {
    const now = performance.now();
    const interval = now - this.tickedAt;
    this.tickedAt = now;
    this.sum += interval;
    this.sumOfSquares += interval * interval;
    return interval;
  }
}

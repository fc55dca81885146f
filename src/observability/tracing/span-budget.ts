const PERIOD_MS = 1_000;
/** Spans a second of refused work. A flood must not crowd out spans of real work. */
const REFUSALS_A_PERIOD = 50;

/** Limits the spans that strangers can cause. */
export class SpanBudget {
  private periodStart = -Infinity;
  private taken = 0;

  /** Whether another span may be created, at `now` on any steady clock. */
  take(now: number): boolean {
    if (now - this.periodStart >= PERIOD_MS) {
      this.periodStart = now;
      this.taken = 0;
    }
    this.taken += 1;
    return this.taken <= REFUSALS_A_PERIOD;
  }
}

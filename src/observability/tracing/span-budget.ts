const PERIOD_MS = 1_000;
/** Spans a second of what was refused before anything was done for it: a flood must not crowd out what was served. */
const REFUSALS_A_PERIOD = 50;

/** Bounds what strangers can have recorded. */
export class SpanBudget {
  private periodStart = -Infinity;
  private taken = 0;

  /** Whether one more may be made, at `now` on any steady clock. */
  take(now: number): boolean {
    if (now - this.periodStart >= PERIOD_MS) {
      this.periodStart = now;
      this.taken = 0;
    }
    this.taken += 1;
    return this.taken <= REFUSALS_A_PERIOD;
  }
}

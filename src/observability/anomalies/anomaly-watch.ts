/** An anomaly ends only below this share of its threshold, so that a value around the threshold warns once. */
const CALM_SHARE = 0.8;

export type AnomalyNews =
  | { readonly state: 'began' }
  /** @property durationMs from the first value above the threshold to the first normal one */
  | { readonly state: 'over'; readonly durationMs: number; readonly peak: number };

/** Detects when a value has been above its threshold for a while, and when it has been normal for as long. */
export class AnomalyWatch {
  private since: number | undefined;
  private calmSince: number | undefined;
  private active = false;
  private peak = 0;

  constructor(
    readonly limit: number,
    private readonly holdMs: number,
  ) {}

  get isActive(): boolean {
    return this.active;
  }

  /** @param now milliseconds on any steady clock */
  take(value: number, now: number): AnomalyNews | undefined {
    return this.active ? this.watchForEnd(value, now) : this.watchForBeginning(value, now);
  }

  private watchForBeginning(value: number, now: number): AnomalyNews | undefined {
    if (value <= this.limit) {
      this.since = undefined;
      this.peak = 0;
      return undefined;
    }
    this.since ??= now;
    this.peak = Math.max(this.peak, value);
    if (now - this.since < this.holdMs) return undefined;
    this.active = true;
    return { state: 'began' };
  }

  private watchForEnd(value: number, now: number): AnomalyNews | undefined {
    this.peak = Math.max(this.peak, value);
    if (value > this.limit * CALM_SHARE) {
      this.calmSince = undefined;
      return undefined;
    }
    this.calmSince ??= now;
    if (now - this.calmSince < this.holdMs) return undefined;
    const news = { state: 'over', durationMs: this.calmSince - (this.since ?? now), peak: this.peak } as const;
    this.active = false;
    this.since = undefined;
    this.calmSince = undefined;
    this.peak = 0;
    return news;
  }
}

/** Tolerance for rounding errors: a client that waits as long as it was told gets its token. */
const ROUNDING = 1e-6;

export interface BucketLimit {
  /** Tokens a second. */
  readonly rate: number;
  readonly burst: number;
}

/**
 * The classic token bucket: it gains `rate` tokens a second and holds at most `burst`. It starts full. It is stored as
 * the single number of the equivalent "generic cell rate algorithm" (ITU-T I.371), which can be kept for an address
 * that has gone.
 */
export class TokenBucket {
  constructor(
    private readonly limit: BucketLimit,
    /** When it will be full again, on the clock that `take` uses. */
    public fullAt = 0,
  ) {}

  /**
   * Takes tokens. Returns 0, or the milliseconds until there are enough, and then takes none.
   *
   * @param now milliseconds on a steady clock that is not negative
   * @param tokens more than `burst` count as `burst`: a cost above the size of the bucket empties it
   */
  take(now: number, tokens = 1): number {
    const wait = this.waitFor(now, tokens);
    if (wait === 0) this.spend(now, tokens);
    return wait;
  }

  /** Takes tokens after `waitFor` returned 0. */
  spend(now: number, tokens = 1): void {
    this.fullAt = Math.max(this.fullAt, now) + this.timeOf(tokens);
  }

  /** The milliseconds until there are enough tokens. Takes none. */
  waitFor(now: number, tokens = 1): number {
    const { rate, burst } = this.limit;
    const present = burst - (Math.max(0, this.fullAt - now) * rate) / 1_000;
    const missing = Math.min(tokens, burst) - present;
    return missing > ROUNDING ? Math.ceil((missing * 1_000) / rate) : 0;
  }

  /** Puts tokens back that were taken a moment ago. */
  giveBack(tokens: number): void {
    this.fullAt -= this.timeOf(tokens);
  }

  private timeOf(tokens: number): number {
    const { rate, burst } = this.limit;
    return (Math.min(tokens, burst) * 1_000) / rate;
  }
}

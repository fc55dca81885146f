/** What sums of fractions may lack: whoever waits as long as told gets its token. */
const ROUNDING = 1e-6;

/** The classic token bucket: `rate` tokens a second flow in, at most `burst` are kept. Starts full. */
export class TokenBucket {
  private tokens: number;
  private refilledAt: number;

  /** @param now milliseconds on any steady clock, the same one that `take` is given */
  constructor(
    private readonly limit: { readonly rate: number; readonly burst: number },
    now: number,
  ) {
    this.tokens = limit.burst;
    this.refilledAt = now;
  }

  /** Takes a token. Returns 0, or the milliseconds until there is one, and then takes none. */
  take(now: number): number {
    const wait = this.waitFor(now);
    if (wait === 0) this.tokens -= 1;
    return wait;
  }

  /** The milliseconds until there is a token; takes none. */
  waitFor(now: number): number {
    const { rate, burst } = this.limit;
    this.tokens = Math.min(burst, this.tokens + ((now - this.refilledAt) * rate) / 1_000);
    this.refilledAt = now;
    const missing = 1 - this.tokens;
    return missing > ROUNDING ? Math.ceil((missing * 1_000) / rate) : 0;
  }
}

/** Parts of the window; the lowest value of each counts. Memory that a garbage collection frees is no growth. */
const PARTS = 10;
/** Less is no growth, whatever its share: a new server grows with its first clients. */
const MIN_GROWTH_BYTES = 64 * 1_048_576;

/** The growth of memory over a window, in percent. */
export class MemoryTrend {
  private readonly lows: number[] = [];
  private low = Infinity;
  private partBegan: number | undefined;
  private growth = 0;

  constructor(private readonly windowMs: number) {}

  /**
   * @param now milliseconds on any steady clock
   * @returns the growth, 0 until the first window is full
   */
  take(bytes: number, now: number): number {
    this.partBegan ??= now;
    this.low = Math.min(this.low, bytes);
    if (now - this.partBegan >= this.windowMs / PARTS) this.endPart(now);
    return this.growth;
  }

  private endPart(now: number): void {
    this.lows.push(this.low);
    if (this.lows.length > PARTS) this.lows.shift();
    this.low = Infinity;
    this.partBegan = now;
    const [oldest = 0] = this.lows;
    const grown = (this.lows.at(-1) ?? 0) - oldest;
    const isKnown = this.lows.length === PARTS && grown >= MIN_GROWTH_BYTES;
    this.growth = isKnown ? (grown / oldest) * 100 : 0;
  }
}

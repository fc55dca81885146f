/** Lets so many lines of a second through, and counts the others. */
export class LineRate {
  private second = -Infinity;
  private taken = 0;
  private leftOut = 0;

  constructor(private readonly perSecond: number) {}

  /**
   * @param now in milliseconds
   * @returns how many lines were left out since the last one, or undefined if this one is left out too
   */
  take(now: number): number | undefined {
    const second = Math.floor(now / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.taken = 0;
    }
    if (this.taken >= this.perSecond) {
      this.leftOut += 1;
      return undefined;
    }
    this.taken += 1;
    const { leftOut } = this;
    this.leftOut = 0;
    return leftOut;
  }

  /** Counts lines that somebody else left out before. */
  add(leftOut: number): void {
    this.leftOut += leftOut;
  }
}

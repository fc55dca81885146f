/**
 * Counts control frames of a client within each second of the steady clock. A bucket would be more exact at the turn of
 * a second, where twice as many pass, but would cost each idle connection an object.
 */
export class ControlRate {
  /** @param limit frames a second; 0 means no limit */
  constructor(private readonly limit: number) {}

  /** Counts one more. Returns false if it is one too many. */
  count(counter: ControlCounter, now: number): boolean {
    if (this.limit === 0) return true;
    const second = Math.floor(now / 1_000);
    if (counter.controlSecond !== second) {
      counter.controlSecond = second;
      counter.controlFrames = 0;
    }
    counter.controlFrames += 1;
    return counter.controlFrames <= this.limit;
  }
}

export interface ControlCounter {
  controlSecond: number;
  controlFrames: number;
}

/** A resource that can be overloaded. */
export type OverloadSign = 'event_loop_lag' | 'buffered' | 'heap';

export interface Reading {
  readonly sign: OverloadSign;
  readonly value: number;
  /** 0: not checked. */
  readonly limit: number;
}

/** A reading is normal only below this share of its limit … */
const CALM_SHARE = 0.8;
/** … and the overload ends only when all readings have been normal for this long. */
export const CALM_MS = 3_000;

/**
 * Detects overload from readings. It begins at once and ends only after a while, because the load of new clients shows
 * late: a node that accepted them in every pause would be overloaded again and again.
 */
export class OverloadWatch {
  private overloadedBy: OverloadSign | undefined;
  private calmSince: number | undefined;

  /** The last reading above its limit; undefined: the node is not overloaded. */
  get sign(): OverloadSign | undefined {
    return this.overloadedBy;
  }

  /**
   * Takes new readings.
   *
   * @param now milliseconds on any steady clock
   * @returns the reading that shows the overload, if any
   */
  take(readings: readonly Reading[], now: number): Reading | undefined {
    const looked = readings.filter(({ limit }) => limit > 0);
    const over = looked.find(({ value, limit }) => value > limit);
    if (over !== undefined) {
      this.overloadedBy = over.sign;
      this.calmSince = undefined;
      return over;
    }
    if (looked.some(({ value, limit }) => value > limit * CALM_SHARE)) {
      this.calmSince = undefined;
      return undefined;
    }
    this.calmSince ??= now;
    if (now - this.calmSince >= CALM_MS) this.overloadedBy = undefined;
    return undefined;
  }
}

/** What a node can have too much of. */
export type OverloadSign = 'event_loop_lag' | 'buffered' | 'heap';

export interface Reading {
  readonly sign: OverloadSign;
  readonly value: number;
  /** Zero: not looked at. */
  readonly limit: number;
}

/** A sign is gone only below this share of its limit … */
const CALM_SHARE = 0.8;
/** … and the overload only when all signs have been gone for so long. */
export const CALM_MS = 3_000;

/**
 * Says whether readings are those of an overloaded node. It says yes at once, and no only after a while: the load that
 * new clients bring shows late, and a node that let them in at every pause would sway.
 */
export class OverloadWatch {
  private overloadedBy: OverloadSign | undefined;
  private calmSince: number | undefined;

  /** The sign that was seen last; undefined: the node is not overloaded. */
  get sign(): OverloadSign | undefined {
    return this.overloadedBy;
  }

  /**
   * Takes new readings in.
   *
   * @param now milliseconds on any steady clock
   * @returns the reading that tells of the overload, if one does
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

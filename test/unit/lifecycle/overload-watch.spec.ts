import { describe, expect, it } from 'vitest';
import { CALM_MS, OverloadWatch, type Reading } from '../../../src/lifecycle/overload-watch.js';

const lag = (value: number, limit = 500): Reading => ({ sign: 'event_loop_lag', value, limit });
const heap = (value: number): Reading => ({ sign: 'heap', value, limit: 90 });

/** What the watch says after each reading, half a second apart. */
function signs(watch: OverloadWatch, values: readonly number[]): (string | undefined)[] {
  return values.map((value, index) => {
    watch.take([lag(value)], index * 500);
    return watch.sign;
  });
}

describe('OverloadWatch', () => {
  it('says yes at the first reading above its limit, and not at the limit', () => {
    const watch = new OverloadWatch();
    expect(watch.take([lag(500), heap(90)], 0)).toBeUndefined();
    expect(watch.sign).toBeUndefined();
    expect(watch.take([lag(20), heap(91)], 500)).toEqual(heap(91));
    expect(watch.sign).toBe('heap');
  });

  it('does not sway with readings that do', () => {
    const swaying = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 600 : 10));
    expect(new Set(signs(new OverloadWatch(), swaying))).toEqual(new Set(['event_loop_lag']));
  });

  it('says no only after a while of calm, for which a reading just below the limit does not count', () => {
    const watch = new OverloadWatch();
    const samples = CALM_MS / 500;
    signs(watch, [600]);
    const near = signs(watch, [...Array.from({ length: samples + 5 }, () => 450), 10]);
    expect(near.at(-1)).toBe('event_loop_lag');

    const calm = new OverloadWatch();
    const said = signs(calm, [600, ...Array.from({ length: samples + 1 }, () => 10)]);
    expect(said.at(-2)).toBe('event_loop_lag');
    expect(said.at(-1)).toBeUndefined();
  });

  it('does not look at what is switched off', () => {
    const watch = new OverloadWatch();
    expect(watch.take([lag(10_000, 0)], 0)).toBeUndefined();
    expect(watch.sign).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { RateAbuse } from '../../../../src/access/limits/rate-abuse.js';

describe('a session over its rate', () => {
  it('abuses it with so many refusals within ten seconds', () => {
    const abuse = new RateAbuse(5);
    expect([0, 1_000, 2_000, 3_000, 4_000].map((now) => abuse.refused(now))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(abuse.refused(10_000)).toBe(true);
  });

  it('does not with a burst, however large, until it can know', () => {
    const abuse = new RateAbuse(5);
    const burst = Array.from({ length: 10_000 }, (_, n) => abuse.refused(n / 10));
    expect(burst.some(Boolean)).toBe(false);
    expect([1_000, 1_001, 1_002, 1_003, 1_004].map((now) => abuse.refused(now))).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it('does not where it is refused now and then', () => {
    const abuse = new RateAbuse(5);
    for (let now = 0; now < 1_000_000; now += 2_500) expect(abuse.refused(now)).toBe(false);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BurstGuard } from '../../../../src/observability/logs/burst-guard.js';

describe('the guard against bursts', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const told: string[] = [];
  function guardOf(): BurstGuard {
    told.length = 0;
    return new BurstGuard(({ kind, of = '' }, leftOut) => void told.push(`${kind} ${of} ${leftOut}`));
  }
  /** How many of so many lines are written. */
  const written = (guard: BurstGuard, kind: string, { count = 100, of = 'a', limit = 20 } = {}): number =>
    Array.from({ length: count }, () => guard.allows({ kind, of }, limit)).filter(Boolean).length;

  it('lets a few lines of each kind through, and one kind takes nothing from another', () => {
    const guard = guardOf();
    expect([written(guard, 'refused'), written(guard, 'refused', { of: 'b' }), written(guard, 'cut')]).toEqual([
      20, 20, 20,
    ]);
    expect(Object.fromEntries(guard.leftOut)).toEqual({ refused: 160, cut: 80 });
  });

  it('tells how many it left out when the period ends, also where no further line comes', () => {
    const guard = guardOf();
    written(guard, 'refused');
    vi.advanceTimersByTime(9_999);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['refused a 80']);
    expect(written(guard, 'refused')).toBe(20);
    vi.advanceTimersByTime(20_000);
    expect(told).toEqual(['refused a 80', 'refused a 80']);
  });

  it('says nothing where nothing was left out, tells the rest at the end, and has no bound at 0', () => {
    const guard = guardOf();
    expect(written(guard, 'opened', { limit: 0 })).toBe(100);
    written(guard, 'few', { count: 20 });
    written(guard, 'many', { count: 21 });
    guard.close();
    vi.advanceTimersByTime(20_000);
    expect(told).toEqual(['many a 1']);
  });
});

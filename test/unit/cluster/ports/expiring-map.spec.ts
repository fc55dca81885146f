import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ExpiringMap } from '../../../../src/cluster/ports/expiring-map.js';

describe('an expiring map', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('has a value for its life, and not a moment longer', () => {
    const map = new ExpiringMap<number>(1_000, 10);
    map.set('a', 1);
    vi.advanceTimersByTime(999);
    expect(map.get('a')).toBe(1);
    vi.advanceTimersByTime(1);
    expect(map.get('a')).toBeUndefined();
  });

  it('begins a life anew with each set', () => {
    const map = new ExpiringMap<number>(1_000, 10);
    map.set('a', 1);
    map.set('b', 2);
    vi.advanceTimersByTime(600);
    map.set('a', 3);
    vi.advanceTimersByTime(600);
    expect([map.get('a'), map.get('b')]).toEqual([3, undefined]);
  });

  it('forgets what has expired as soon as something is set', () => {
    const map = new ExpiringMap<number>(1_000, 100);
    for (let n = 0; n < 50; n += 1) map.set(`old ${n}`, n);
    vi.advanceTimersByTime(1_000);
    map.set('new', 1);
    expect(map.size).toBe(1);
  });

  it('forgets the oldest where there are too many', () => {
    const map = new ExpiringMap<number>(1_000, 3);
    for (const key of ['a', 'b', 'c']) map.set(key, 0);
    map.set('a', 1);
    map.set('d', 0);
    expect(['a', 'b', 'c', 'd'].map((key) => map.get(key))).toEqual([1, undefined, 0, 0]);
    expect(map.size).toBe(3);
  });

  it('has nothing that was not set', () => {
    expect(new ExpiringMap<number>(1_000, 3).get('__proto__')).toBeUndefined();
  });
});

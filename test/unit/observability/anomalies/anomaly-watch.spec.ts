import { describe, expect, it } from 'vitest';
import { AnomalyWatch } from '../../../../src/observability/anomalies/anomaly-watch.js';
import { MemoryTrend } from '../../../../src/observability/anomalies/memory-trend.js';

const MIB = 1_048_576;

/** What is told after each value, a second apart. */
function told(watch: AnomalyWatch, values: readonly number[]): (string | undefined)[] {
  return values.map((value, second) => watch.take(value, second * 1_000)?.state);
}

describe('an anomaly', () => {
  it('begins when a value has been above its threshold for a while, not at it and not for a moment', () => {
    expect(told(new AnomalyWatch(100, 2_000), [100, 100, 100, 100])).not.toContain('began');
    expect(told(new AnomalyWatch(100, 2_000), [101, 101, 50, 101, 101, 50])).not.toContain('began');
    expect(told(new AnomalyWatch(100, 2_000), [50, 101, 101, 101])).toEqual([undefined, undefined, undefined, 'began']);
  });

  it('is over when it has been calm for as long, with its duration and its peak', () => {
    const watch = new AnomalyWatch(100, 2_000);
    told(watch, [200, 300, 150]);
    expect(watch.isActive).toBe(true);
    expect(watch.take(80, 3_000)).toBeUndefined();
    expect(watch.take(0, 4_000)).toBeUndefined();
    expect(watch.take(0, 5_000)).toEqual({ state: 'over', durationMs: 3_000, peak: 300 });
    expect(watch.isActive).toBe(false);
  });

  it('is one, however the value sways about the threshold', () => {
    const swaying = Array.from({ length: 40 }, (_, second) => (second % 2 === 0 ? 101 : 85));
    expect(told(new AnomalyWatch(100, 0), swaying).filter(Boolean)).toEqual(['began']);
  });

  it('can come again', () => {
    expect(told(new AnomalyWatch(100, 0), [200, 0, 200, 0])).toEqual(['began', 'over', 'began', 'over']);
  });
});

describe('memory', () => {
  /** The growth after each second of a window of a hundred. */
  function growth(bytesAt: (second: number) => number, seconds: number): number[] {
    const trend = new MemoryTrend(100_000);
    return Array.from({ length: seconds }, (_, second) => trend.take(bytesAt(second) * MIB, second * 1_000));
  }

  it('climbs where its lowest values grow over a window', () => {
    const climbing = growth((second) => 200 + second * 2, 150);
    expect(Math.max(...climbing.slice(0, 100))).toBe(0);
    expect(climbing.at(-1)).toBeGreaterThan(50);
  });

  it('does not climb with what a garbage collection takes away again', () => {
    expect(Math.max(...growth((second) => 200 + (second % 8) * 50, 400))).toBe(0);
  });

  it('does not climb while a process grows by less than 64 MiB, whatever share that is', () => {
    expect(Math.max(...growth((second) => 20 + second * 0.4, 200))).toBe(0);
  });

  it('climbs no more where it stays', () => {
    expect(growth((second) => Math.min(600, 200 + second * 2), 400).at(-1)).toBe(0);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SWEEP_MS, Sweeps, type Swept } from '../../../../src/cluster/memory/sweeps.js';

interface Item extends Swept {
  readonly name: string;
}

const item = (name: string): Item => ({ name, sweepNumber: undefined });

describe('sweeps', () => {
  const looks: string[] = [];
  let sweeps: Sweeps<Item>;

  beforeEach(() => {
    vi.useFakeTimers();
    looks.length = 0;
    sweeps = new Sweeps(({ name }) => void looks.push(name));
  });

  afterEach(() => {
    sweeps.stop();
    vi.useRealTimers();
  });

  /** What the next sweeps look at. */
  function after(count: number): string[] {
    looks.length = 0;
    vi.advanceTimersByTime(count * SWEEP_MS);
    return [...looks];
  }

  it('look at an item when its time has come, not before, and once', () => {
    sweeps.plan(item('a'), Date.now() + 2.5 * SWEEP_MS);
    expect([after(2), after(1), after(10)]).toEqual([[], ['a'], []]);
  });

  it('look at what is due already in the next sweep', () => {
    vi.advanceTimersByTime(SWEEP_MS / 2);
    sweeps.plan(item('a'), Date.now() - SWEEP_MS * 7);
    expect(after(1)).toEqual(['a']);
  });

  it('go by the earlier of two times, and not by both', () => {
    const one = item('a');
    sweeps.plan(one, Date.now() + 5 * SWEEP_MS);
    sweeps.plan(one, Date.now() + 2 * SWEEP_MS);
    sweeps.plan(one, Date.now() + 4 * SWEEP_MS);
    expect([after(2), after(10)]).toEqual([['a'], []]);
  });

  it('look again at what is planned again, in a look too', () => {
    const again = new Sweeps<Item>((one, now) => {
      looks.push(one.name);
      again.plan(one, now + SWEEP_MS);
    });
    again.plan(item('a'), Date.now());
    expect(after(3)).toEqual(['a', 'a', 'a']);
    again.stop();
    expect(after(3)).toEqual([]);
  });

  it('hold an item once, whenever it is planned, and none that is forgotten', () => {
    const held = (): number =>
      [...(Reflect.get(sweeps, 'planned') as Map<number, Set<Item>>).values()].reduce((sum, { size }) => sum + size, 0);
    const one = item('a');
    for (let round = 0; round < 100; round += 1) {
      sweeps.plan(one, Date.now() + 50 * SWEEP_MS);
      sweeps.plan(one, Date.now() + SWEEP_MS);
      expect(held()).toBe(1);
      after(1);
    }
    sweeps.plan(one, Date.now());
    sweeps.forget(one);
    expect([held(), after(2)]).toEqual([0, []]);
    sweeps.plan(one, Date.now());
    expect(after(1)).toEqual(['a']);
  });

  it('are not held up by a clock that jumps', () => {
    const one = item('a');
    vi.setSystemTime(Date.now() + 100 * SWEEP_MS);
    sweeps.plan(one, Date.now() + SWEEP_MS / 2);
    expect(after(1)).toEqual(['a']);
  });

  it('never look at what has no end', () => {
    sweeps.plan(item('a'), Infinity);
    expect(after(100)).toEqual([]);
  });
});

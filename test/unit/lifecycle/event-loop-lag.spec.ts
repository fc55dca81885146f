import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EventLoopLag } from '../../../src/lifecycle/event-loop-lag.js';
import { StoppedClock } from '../../support/stopped-clock.js';

const TICK_MS = 20;

describe('EventLoopLag', () => {
  let clock: StoppedClock;
  beforeEach(() => {
    clock = new StoppedClock();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => {
      vi.useRealTimers();
      clock[Symbol.dispose]();
    });
  });

  /** The loop turns with each tick. */
  function idle(ticks: number): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      clock.pass(TICK_MS);
      vi.advanceTimersByTime(TICK_MS);
    }
  }

  function started(): EventLoopLag {
    const lag = new EventLoopLag();
    lag.start();
    onTestFinished(() => lag.stop());
    return lag;
  }

  it('is nothing where the loop is on time', () => {
    const lag = started();
    idle(50);
    expect(lag.take()).toBe(0);
  });

  it('shows a single stall nearly at its length, however often the loop was on time beside it', () => {
    const lag = started();
    idle(15);
    clock.pass(1_500);
    idle(5);
    expect(lag.take()).toBeGreaterThan(1_100);
    idle(50);
    expect(lag.take()).toBe(0);
  });

  it('shows a stall that it is asked about before the loop has turned again', () => {
    const lag = started();
    idle(2);
    lag.take();
    clock.pass(800);
    expect(lag.take()).toBe(780);
  });
});

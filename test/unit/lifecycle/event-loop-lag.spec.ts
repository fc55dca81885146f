import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { BUSY_TICK_MS, EventLoopLag, IDLE_TICK_MS } from '../../../src/lifecycle/event-loop-lag.js';
import { StoppedClock } from '../../support/stopped-clock.js';

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
  function idle(ticks: number, tickMs = BUSY_TICK_MS): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      clock.pass(tickMs);
      vi.advanceTimersByTime(tickMs);
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

  it('is nothing, and shows a long stall, where an idle process is looked at less often', () => {
    const lag = started();
    lag.take(IDLE_TICK_MS);
    idle(5, IDLE_TICK_MS);
    expect(lag.take()).toBe(0);
    clock.pass(1_500);
    idle(1, IDLE_TICK_MS);
    expect(lag.take(BUSY_TICK_MS)).toBeGreaterThan(1_000);
    idle(25);
    expect(lag.take()).toBe(0);
  });

  it('has one timer at any pace, and none once it is stopped', () => {
    const lag = started();
    lag.take(IDLE_TICK_MS);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersToNextTimer();
    expect(vi.getTimerCount()).toBe(1);
    lag.stop();
    expect(vi.getTimerCount()).toBe(0);
    lag.take(BUSY_TICK_MS);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps how late each look was, without the interval between two looks', () => {
    const lag = started();
    idle(10);
    expect(lag.delays.max).toBeLessThan(1_000);
    clock.pass(1_500);
    idle(1);
    expect(lag.delays.max / 1e6).toBeCloseTo(1_500, -1);
    expect(lag.delays.count).toBe(11);
  });

  it('keeps to the timers that it began with, whatever takes their place later', () => {
    vi.useRealTimers();
    const lag = started();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    lag.take(IDLE_TICK_MS);
    expect(vi.getTimerCount()).toBe(0);
  });
});

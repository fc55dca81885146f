import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EventLoopLag } from '../../../src/lifecycle/event-loop-lag.js';
import { holdUpEventLoop } from '../../support/hold-up.js';

describe('EventLoopLag', () => {
  it('shows a single stall nearly at its length, however often the loop was on time beside it', async () => {
    const lag = new EventLoopLag();
    lag.start();
    await pause(300);
    holdUpEventLoop(1_500);
    await pause(100);
    expect(lag.take()).toBeGreaterThan(800);
    lag.stop();
  });

  it('shows a stall that it is asked about before the loop has turned again', async () => {
    const lag = new EventLoopLag();
    lag.start();
    await pause(50);
    lag.take();
    holdUpEventLoop(800);
    expect(lag.take()).toBeGreaterThan(600);
    lag.stop();
  });
});

import { describe, expect, it } from 'vitest';
import { DispatchEvents } from '../../../../src/dispatch/dispatch-events.js';
import type { MessageContext } from '../../../../src/dispatch/calls/message-context.js';
import { SlowCalls } from '../../../../src/observability/diagnostics/slow-calls.js';
import { Distribution } from '../../../../src/observability/metrics/tally.js';

describe('the slowest calls', () => {
  it('are the hundred slowest of a period and of the one before, whatever else comes', () => {
    const events = new DispatchEvents();
    const calls = new SlowCalls(events);
    calls.onModuleInit();
    const handled = (ms: number): boolean =>
      events.emit('handled', 'echo', ms, { session: { id: 's' }, outcome: 'ok' } as MessageContext);
    for (let ms = 1; ms <= 1_000; ms += 1) handled((ms * 17) % 1_001);
    const times = (): number[] => calls.list(1_000).map(({ ms }) => ms);
    expect(times()).toEqual(Array.from({ length: 100 }, (_, index) => 1_000 - index));
    handled(900);
    expect(times()).not.toContain(900);

    calls.turn();
    handled(5);
    handled(1);
    expect(calls.list(1)).toMatchObject([{ ms: 1_000, sessionId: 's', outcome: 'ok' }]);
    expect(times()).toHaveLength(101);
    calls.turn();
    // The bar is down again, and nothing under a millisecond is slow.
    expect(times()).toEqual([5]);
    calls.onApplicationShutdown();
  });
});

describe('quantiles of a distribution', () => {
  it('are estimated within their bucket, and never beyond the largest value', () => {
    const times = new Distribution([1, 10, 100]);
    expect([times.mean, times.max, times.quantile(0.99)]).toEqual([0, 0, 0]);
    for (let n = 0; n < 90; n += 1) times.observe(0.5);
    for (let n = 0; n < 10; n += 1) times.observe(40);
    expect(times.quantile(0.5)).toBeCloseTo(0.556, 3);
    expect(times.quantile(0.95)).toBe(40);
    expect(times.mean).toBeCloseTo(4.45);
    times.observe(5_000);
    expect([times.quantile(1), times.max, times.count]).toEqual([5_000, 5_000, 101]);
  });
});

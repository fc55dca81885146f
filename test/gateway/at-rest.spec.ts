import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../support/eventually.js';
import { connect } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

/** Beside these two, nothing wakes an idle process more often than every ten seconds: they are due in the same turn. */
const TIMERS_AT_REST = ['the load meter', 'its look at the event loop'];
const OFTEN_MS = 10_000;

/** Counts the intervals of this process that are due often, from now on. */
function countedIntervals(): { readonly size: number } {
  const running = new Set<unknown>();
  const { setInterval: start, clearInterval: stop } = globalThis;
  const starting = vi.spyOn(globalThis, 'setInterval').mockImplementation(((act: () => void, ms: number) => {
    const timer = start(act, ms);
    if (ms < OFTEN_MS) running.add(timer);
    return timer;
  }) as typeof setInterval);
  const stopping = vi.spyOn(globalThis, 'clearInterval').mockImplementation((timer) => {
    running.delete(timer);
    stop(timer);
  });
  onTestFinished(() => {
    starting.mockRestore();
    stopping.mockRestore();
  });
  return running;
}

describe('A node without clients', () => {
  it('runs no timers but those of its load meter, also after its last client has left', async () => {
    const intervals = countedIntervals();
    await using server = await startTestServer();
    await eventually('the node is at rest', () => intervals.size === TIMERS_AT_REST.length);
    const client = await connect(server.url);
    expect(intervals.size).toBeGreaterThan(TIMERS_AT_REST.length);
    client.socket.close();
    await client.closed;
    await eventually('the node is at rest again', () => intervals.size === TIMERS_AT_REST.length);
  });
});

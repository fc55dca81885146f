import { expect, it } from 'vitest';
import { BridgesEnd } from '../../../src/bridges/bridges-end.js';
import { StoppedClock } from '../../support/stopped-clock.js';

it('ends the queues when every reader has published what it read, and the connections last', async () => {
  const order: string[] = [];
  const bridge = (name: string) => ({
    stopReading: async (withinMs: number) => void order.push(`${name} reads no more, within ${withinMs} ms`),
    close: async () => void order.push(`${name} is closed`),
  });
  const end = new BridgesEnd({
    bridges: [bridge('kafka'), bridge('nats')],
    queues: [{ close: async () => void order.push('the queue has ended') }],
    withinMs: 7,
  });
  await end.beforeApplicationShutdown();
  expect(order).toEqual(['kafka reads no more, within 7 ms', 'nats reads no more, within 7 ms']);
  await end.onApplicationShutdown();
  expect(order.slice(2)).toEqual(['the queue has ended', 'kafka is closed', 'nats is closed']);
});

it.each([
  ['what is left of the time', 3_000, 2_000],
  ['a second', 9_000, 1_000],
])('leaves publications %s if messages took some of it', async (_what, takenMs, flushMs) => {
  using clock = new StoppedClock();
  let given = 0;
  const end = new BridgesEnd({
    bridges: [{ stopReading: async () => clock.pass(takenMs), close: async () => {} }],
    queues: [{ close: async (withinMs) => void (given = withinMs) }],
    withinMs: 5_000,
  });
  await end.beforeApplicationShutdown();
  await end.onApplicationShutdown();
  expect(given).toBe(flushMs);
});

import { expect, it } from 'vitest';
import { BridgesEnd } from '../../../src/bridges/bridges-end.js';

it('ends the queues when every reader has published what it read, and the connections last', async () => {
  const order: string[] = [];
  const bridge = (name: string) => ({
    stopReading: async () => void order.push(`${name} reads no more`),
    close: async () => void order.push(`${name} is closed`),
  });
  const end = new BridgesEnd({
    bridges: [bridge('kafka'), bridge('nats')],
    queues: [{ close: async (withinMs) => void order.push(`queue ended within ${withinMs} ms`) }],
    withinMs: 7,
  });
  await end.beforeApplicationShutdown();
  expect(order).toEqual(['kafka reads no more', 'nats reads no more']);
  await end.onApplicationShutdown();
  expect(order.slice(2)).toEqual(['queue ended within 7 ms', 'kafka is closed', 'nats is closed']);
});

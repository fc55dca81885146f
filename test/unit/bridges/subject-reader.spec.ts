import { describe, expect, it } from 'vitest';
import type { SubjectSource } from '../../../config/bridges/sources.js';
import { BridgeEvents } from '../../../src/bridges/bridge-events.js';
import type { InboundOutcome } from '../../../src/bridges/inbound-messages.js';
import type { NatsReaderParts } from '../../../src/bridges/nats/nats-reader.js';
import { SubjectReader } from '../../../src/bridges/nats/subject-reader.js';

const SOURCE: SubjectSource = {
  nats: 'orders.*',
  queue: 'gatehouse',
  channel: { namespace: 'order', parts: [{ value: '1' }] },
  deadLetter: undefined,
};

type Callback = (error: Error | null, message: { readonly subject: string; readonly data: Uint8Array }) => void;

/** A reader whose messages have this outcome, over a connection that the test plays. */
function read(outcome: InboundOutcome | Promise<InboundOutcome>, { deadLetter, publish }: Partial<Scene> = {}) {
  const told: string[] = [];
  const events = new BridgeEvents();
  events.on('settled', (source, settled) => told.push(`${source} ${settled}`));
  events.on('failed', (source, reason) => told.push(`${source} failed: ${reason}`));
  events.on('refused', (source, { place, reason }) => told.push(`${source} refused ${place}: ${reason}`));
  let deliver: Callback = () => {};
  let close: (error?: Error) => void = () => {};
  const connection = {
    subscribe: (_subject: string, { callback }: { callback: Callback }) => {
      deliver = callback;
      const closed = new Promise<Error | void>((resolve) => (close = resolve));
      return { closed, unsubscribe: () => close() };
    },
    publish,
  };
  const headers = () => ({ set: () => {} });
  const parts = {
    connection,
    events,
    messages: { publish: async () => outcome },
    packages: { nats: { headers } },
  };
  const reader = new SubjectReader({ ...SOURCE, deadLetter }, parts as unknown as NatsReaderParts);
  const message = { subject: 'orders.17', data: Buffer.from('{}') };
  return { reader, told, take: (error: Error | null = null) => deliver(error, message), close };
}

interface Scene {
  readonly deadLetter: string;
  readonly publish: () => void;
}

describe('a reader of a subject of core NATS', () => {
  it('loses a message that cannot be published now, counts it, and says why', async () => {
    const { reader, told, take } = read({ failure: 'the broker is away' });
    take();
    await reader.stop();
    expect(told).toEqual(['orders.* failed: the broker is away', 'orders.* lost']);
  });

  it('loses and counts messages beyond 10,000 that wait', async () => {
    let settle: (outcome: InboundOutcome) => void = () => {};
    const { reader, told, take } = read(new Promise((resolve) => (settle = resolve)));
    for (let count = 0; count < 10_002; count += 1) take();
    expect(told).toEqual(['orders.* lost', 'orders.* lost']);
    settle('published');
    await reader.stop();
    expect(told).toHaveLength(10_002);
    take();
    await reader.stop();
    expect(told.at(-1)).toBe('orders.* published');
  });

  it('skips a message that can never be published, if there is no dead-letter subject', async () => {
    const { reader, told, take } = read({ refused: 'it has no 1' });
    take();
    await reader.stop();
    expect(told).toEqual(['orders.* refused orders.17: it has no 1', 'orders.* skipped']);
  });

  it('loses such a message if its letter cannot be sent, and says so', async () => {
    const publish = () => {
      throw new Error('closed connection');
    };
    const { reader, told, take } = read({ refused: 'it has no 1' }, { deadLetter: 'dead', publish });
    take();
    await reader.stop();
    expect(told.slice(1)).toEqual([
      'orders.* failed: the dead letter was not sent: closed connection',
      'orders.* lost',
    ]);
  });

  it('reports an error of the subscription, and ends with the one that closes it', async () => {
    const { reader, told, take, close } = read('published');
    take(new Error('permissions violation'));
    expect(told).toEqual(['orders.* failed: permissions violation']);
    close(new Error('not allowed to read'));
    await expect(reader.done).rejects.toThrow('not allowed to read');
  });
});

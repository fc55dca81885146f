import { beforeEach, expect, it } from 'vitest';
import { BridgeEvents } from '../../../src/bridges/bridge-events.js';
import { OutgoingQueue } from '../../../src/bridges/outgoing-queue.js';
import { Unsendable, type OutgoingMessage } from '../../../src/bridges/outgoing.js';
import { eventually } from '../../support/eventually.js';

let events: BridgeEvents;
let queue: OutgoingQueue;
let left: string[];

beforeEach(() => {
  events = new BridgeEvents();
  left = [];
  events.on('left', (_, outcome) => left.push(outcome));
  queue = new OutgoingQueue('kafka', events);
});

function message(n: number, more: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const payload = Buffer.from(String(n));
  return {
    destination: { kafka: 'a' },
    id: `a:${n}`,
    channel: 'a',
    payload,
    headers: {},
    expiresAt: undefined,
    ...more,
  };
}

/** A broker that takes everything, or refuses as it is told. */
function broker(refuse: (messages: readonly OutgoingMessage[]) => Error | undefined = () => undefined) {
  const taken: string[] = [];
  const sender = async (messages: readonly OutgoingMessage[]): Promise<void> => {
    const error = refuse(messages);
    if (error !== undefined) throw error;
    taken.push(...messages.map(({ id }) => id));
  };
  return { taken, sender };
}

it('keeps the newest 10,000 while there is no broker, and counts those that it drops', async () => {
  for (let n = 0; n < 10_003; n += 1) queue.push(message(n));
  expect(left).toEqual(['dropped', 'dropped', 'dropped']);
  const { taken, sender } = broker();
  queue.use(sender);
  await eventually('all have left', () => taken.length === 10_000);
  expect(taken.slice(0, 2)).toEqual(['a:3', 'a:4']);
});

it('is bounded by bytes, too', () => {
  const payload = Buffer.alloc(1_048_576);
  for (let n = 0; n < 40; n += 1) queue.push(message(n, { payload }));
  expect(left.length).toBeGreaterThanOrEqual(8);
});

it('sends a batch again, in order, when the broker has failed', async () => {
  let failures = 1;
  const { taken, sender } = broker(() => (failures-- > 0 ? new Error('away') : undefined));
  const reasons: string[] = [];
  events.on('failed', (_, reason) => reasons.push(reason));
  queue.use(sender);
  queue.push(message(0));
  queue.push(message(1));
  await eventually('both have left', () => taken.length === 2);
  expect(taken).toEqual(['a:0', 'a:1']);
  expect(reasons).toEqual(['away']);
});

it('gives up what the broker will never take, and nothing else', async () => {
  const { taken, sender } = broker((messages) =>
    messages.some(({ id }) => id === 'a:1') ? new Unsendable('too large') : undefined,
  );
  for (let n = 0; n < 3; n += 1) queue.push(message(n));
  queue.use(sender);
  await eventually('the others have left', () => taken.length === 2);
  await eventually('all are settled', () => left.length === 3);
  expect(taken).toEqual(['a:0', 'a:2']);
  expect(left.toSorted()).toEqual(['refused', 'sent', 'sent']);
});

it('does not send what has expired', async () => {
  const { taken, sender } = broker();
  queue.push(message(0, { expiresAt: Date.now() - 1 }));
  queue.push(message(1, { expiresAt: Date.now() + 3_600_000 }));
  queue.use(sender);
  await eventually('both are settled', () => left.length === 2);
  expect(taken).toEqual(['a:1']);
  expect(left).toEqual(['expired', 'sent']);
});

it('counts what waits at its end, and what comes later, as dropped', async () => {
  queue.push(message(0));
  await queue.close(1_000);
  queue.push(message(1));
  expect(left).toEqual(['dropped', 'dropped']);
});

import { beforeEach, describe, expect, it } from 'vitest';
import type { Egress } from '../../../config/bridges/destinations.js';
import { BridgeEvents } from '../../../src/bridges/bridge-events.js';
import { BrokerQueues } from '../../../src/bridges/broker-queues.js';
import type { OutgoingMessage, Sender, SendResult } from '../../../src/bridges/outgoing.js';
import { eventually } from '../../support/eventually.js';

let events: BridgeEvents;
let queues: BrokerQueues;
let left: string[];

beforeEach(() => {
  events = new BridgeEvents();
  left = [];
  events.on('left', (_, outcome) => left.push(outcome));
  queues = new BrokerQueues('kafka', events);
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
function broker(resultOf: (message: OutgoingMessage) => SendResult = () => 'sent') {
  const taken: string[] = [];
  const sender: Sender = async (messages) => {
    const results = messages.map(resultOf);
    taken.push(...messages.filter((_, index) => results[index] === 'sent').map(({ id }) => id));
    return results;
  };
  return { taken, sender };
}

describe('publications for one broker', () => {
  it('wait, the newest 10,000 of them, while it is away; those that are dropped are counted', async () => {
    for (let n = 0; n < 10_003; n += 1) queues.push(message(n));
    expect(left).toEqual(['dropped', 'dropped', 'dropped']);
    const { taken, sender } = broker();
    queues.use(() => sender);
    await eventually('all have left', () => taken.length === 10_000);
    expect(taken.slice(0, 2)).toEqual(['a:3', 'a:4']);
  });

  it('are bounded by bytes, too', () => {
    const payload = Buffer.alloc(1_048_576);
    for (let n = 0; n < 40; n += 1) queues.push(message(n, { payload }));
    expect(left.length).toBeGreaterThanOrEqual(8);
  });

  it('are sent again, in order, when it has failed', async () => {
    let failures = 1;
    const { taken, sender } = broker();
    const reasons: string[] = [];
    events.on('failed', (_, reason) => reasons.push(reason));
    queues.use(() => (messages) => (failures-- > 0 ? Promise.reject(new Error('away')) : sender(messages)));
    queues.push(message(0));
    queues.push(message(1));
    await eventually('both have left', () => taken.length === 2);
    expect(taken).toEqual(['a:0', 'a:1']);
    expect(reasons).toEqual(['away']);
  });

  it('are sent again without those that it has taken', async () => {
    let failures = 1;
    const { taken, sender } = broker(({ id }) => (id === 'a:1' && failures-- > 0 ? { failure: 'timeout' } : 'sent'));
    for (let n = 0; n < 3; n += 1) queues.push(message(n));
    queues.use(() => sender);
    await eventually('all have left', () => taken.length === 3);
    expect(taken).toEqual(['a:0', 'a:2', 'a:1']);
    expect(left).toEqual(['sent', 'sent', 'sent']);
  });

  it('are given up if it will never take them, with its reason, and the others are sent', async () => {
    const details: unknown[] = [];
    events.on('left', (_, outcome, detail) => outcome === 'refused' && details.push(detail));
    const { taken, sender } = broker(({ id }) => (id === 'a:1' ? { refused: 'too large' } : 'sent'));
    for (let n = 0; n < 3; n += 1) queues.push(message(n));
    queues.use(() => sender);
    await eventually('all are settled', () => left.length === 3);
    expect(taken).toEqual(['a:0', 'a:2']);
    expect(left.toSorted()).toEqual(['refused', 'sent', 'sent']);
    expect(details).toEqual(['too large']);
  });

  it('are not sent when they have expired', async () => {
    const { taken, sender } = broker();
    queues.push(message(0, { expiresAt: Date.now() - 1 }));
    queues.push(message(1, { expiresAt: Date.now() + 3_600_000 }));
    queues.use(() => sender);
    await eventually('both are settled', () => left.length === 2);
    expect(taken).toEqual(['a:1']);
    expect(left).toEqual(['expired', 'sent']);
  });

  it('count as dropped if they wait at its end, or come later', async () => {
    queues.push(message(0));
    await queues.close(1_000);
    queues.push(message(1));
    queues.push(message(2, { destination: { kafka: 'b' } }));
    expect(left).toEqual(['dropped', 'dropped', 'dropped']);
  });

  it('count as dropped if it does not answer in the time for its end', async () => {
    queues.use(() => () => new Promise(() => {}));
    queues.push(message(0));
    await queues.close(1);
    expect(left).toEqual(['dropped']);
  });
});

describe('publications for a topic that takes none', () => {
  const stuck: Egress = { kafka: 'stuck' };
  const { taken, sender } = broker();
  const failing: Sender = () => Promise.reject(new Error('no such topic'));

  beforeEach(() => {
    taken.length = 0;
    queues.use((destination) => (destination === stuck ? failing : sender));
  });

  it('do not hold up those for other topics', async () => {
    const failed: string[] = [];
    events.on('failed', (bridge) => failed.push(bridge));
    queues.push(message(0, { destination: stuck }));
    queues.push(message(1));
    queues.push(message(2));
    await eventually('the others have left', () => taken.length === 2);
    expect(left).toEqual(['sent', 'sent']);
    await eventually('it has failed', () => failed.length > 0);
    expect(failed[0]).toBe('stuck');
    await queues.close(1);
  });

  it('are dropped before any of the others', async () => {
    const dropped: string[] = [];
    events.on('left', (destination, outcome) => outcome === 'dropped' && dropped.push(destination));
    for (let n = 0; n < 10_000; n += 1) queues.push(message(n, { destination: stuck }));
    for (let n = 0; n < 600; n += 1) queues.push(message(n));
    await eventually('the others have left', () => taken.length === 600);
    expect(dropped.length).toBeGreaterThan(0);
    expect(new Set(dropped)).toEqual(new Set(['stuck']));
    await queues.close(1);
  });
});

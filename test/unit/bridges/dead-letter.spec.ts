import type { EachBatchPayload, KafkaMessage, Message } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import type { KafkaSource } from '../../../config/bridges/sources.js';
import { BridgeEvents } from '../../../src/bridges/bridge-events.js';
import type { InboundMessages } from '../../../src/bridges/inbound-messages.js';
import { BatchHandler } from '../../../src/bridges/kafka/batch-handler.js';

const SOURCE: KafkaSource = {
  kafka: 'orders',
  channel: { namespace: 'order', parts: [{ value: 'key' }] },
  deadLetter: 'orders-dead',
  from: 'earliest',
};
const PAYLOAD = Buffer.alloc(1_000, 'x');

function poison(offset: number): KafkaMessage {
  return {
    key: Buffer.from('17'),
    value: PAYLOAD,
    headers: { kept: 'yes' },
    offset: String(offset),
    timestamp: '0',
    attributes: 0,
  };
}

/** Handles two messages that can never be published, with a broker that refuses letters as it is told. */
async function handle(faultOf: (letter: Message) => Error | undefined) {
  const letters: Message[] = [];
  const outcomes: string[] = [];
  const failures: string[] = [];
  const resolved: string[] = [];
  const events = new BridgeEvents();
  events.on('settled', (_, outcome) => outcomes.push(outcome));
  events.on('failed', (_, reason) => failures.push(reason));
  const messages: Pick<InboundMessages, 'publish'> = { publish: () => Promise.resolve({ refused: 'bad data' }) };
  const handler = new BatchHandler({
    sources: [SOURCE],
    producers: {
      send: async (_topic, [letter]) => {
        const fault = letter && faultOf(letter);
        if (fault !== undefined) throw fault;
        if (letter !== undefined) letters.push(letter);
      },
    },
    messages: messages as InboundMessages,
    events,
  });
  const payload = {
    batch: { topic: 'orders', partition: 0, highWatermark: '2', messages: [poison(0), poison(1)] },
    isRunning: () => true,
    isStale: () => false,
    heartbeat: () => Promise.resolve(),
    resolveOffset: (offset: string) => resolved.push(offset),
    pause: () => () => {},
  };
  await handler.handle(payload as unknown as EachBatchPayload);
  handler.close();
  return { letters, outcomes, failures, resolved };
}

function refusal(type: string): Error {
  return Object.assign(new Error(type), { type });
}

const sizeOf = (letter: Message): number => Buffer.byteLength(letter.value ?? '');

describe('a dead letter for Kafka', () => {
  it.each(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])(
    'goes without its payload if the broker refuses it with %s, and its partition goes on',
    async (type) => {
      const { letters, outcomes, resolved } = await handle((letter) =>
        sizeOf(letter) > 0 ? refusal(type) : undefined,
      );
      expect(outcomes).toEqual(['emptied', 'emptied']);
      expect(resolved).toEqual(['0', '1']);
      expect(letters).toHaveLength(2);
      expect(letters[0]).toMatchObject({
        key: Buffer.from('17'),
        value: Buffer.alloc(0),
        headers: {
          kept: 'yes',
          'gatehouse-reason': 'bad data',
          'gatehouse-place': 'orders:0:0',
          'gatehouse-payload-bytes': '1000',
        },
      });
    },
  );

  it('is skipped if the broker refuses it without its payload, too', async () => {
    const { letters, outcomes, resolved } = await handle(() => refusal('MESSAGE_TOO_LARGE'));
    expect(letters).toEqual([]);
    expect(outcomes).toEqual(['skipped', 'skipped']);
    expect(resolved).toEqual(['0', '1']);
  });

  it.each(['UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED'])(
    'is tried again if its topic cannot be used, with %s',
    async (type) => {
      const { outcomes, failures, resolved } = await handle(() => refusal(type));
      expect(outcomes).toEqual([]);
      expect(resolved).toEqual([]);
      expect(failures).toEqual([`the dead letter was not stored: ${type}`]);
    },
  );
});

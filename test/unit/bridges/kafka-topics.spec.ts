import type { Kafka } from 'kafkajs';
import * as kafkajs from 'kafkajs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { KafkaSource } from '../../../config/bridges/sources.js';
import { BridgeEvents } from '../../../src/bridges/bridge-events.js';
import { BrokerQueues } from '../../../src/bridges/broker-queues.js';
import type { InboundMessages } from '../../../src/bridges/inbound-messages.js';
import { existingTopics, oneAppears } from '../../../src/bridges/kafka/existing-topics.js';
import { KafkaBridge } from '../../../src/bridges/kafka/kafka-bridge.js';
import type { KafkaPackages } from '../../../src/bridges/kafka/kafka-client.js';
import { eventually } from '../../support/eventually.js';

/** What the brokers say of each topic that is asked for; undefined: it is there. */
let faults: Map<string, string>;
let subscribed: string[];

beforeEach(() => {
  faults = new Map();
  subscribed = [];
});

/** A client without a broker. */
class FakeKafka {
  admin() {
    return {
      connect: async () => {},
      disconnect: async () => {},
      fetchTopicMetadata: async ({ topics: [topic = ''] }: { topics: readonly string[] }) => {
        const type = faults.get(topic);
        if (type !== undefined) throw Object.assign(new Error(type), { type });
        return { topics: [] };
      },
    };
  }

  consumer() {
    let joined: () => void = () => {};
    return {
      events: { GROUP_JOIN: 'join', CRASH: 'crash' },
      on: (event: string, listener: () => void) => void (event === 'join' && (joined = listener)),
      connect: async () => {},
      subscribe: async ({ topic }: { topic: string }) => void subscribed.push(topic),
      run: async () => joined(),
      disconnect: async () => {},
    };
  }
}

const client = new FakeKafka() as unknown as Kafka;

describe('a topic to be read', () => {
  it.each(['UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION'])(
    'is missing if the broker answers %s',
    async (type) => {
      faults.set('gone', type);
      expect(await existingTopics(client, ['there', 'gone'])).toEqual(new Set(['there']));
    },
  );

  it('is not taken for missing if the broker cannot say', async () => {
    faults.set('busy', 'REQUEST_TIMED_OUT');
    await expect(existingTopics(client, ['busy'])).rejects.toThrow('REQUEST_TIMED_OUT');
  });

  it('is looked for until it is there, and named as often', async () => {
    faults.set('late', 'UNKNOWN_TOPIC_OR_PARTITION');
    const told: string[] = [];
    const stillMissing = (topic: string): void => {
      told.push(topic);
      if (told.length === 3) faults.clear();
    };
    const { signal } = new AbortController();
    expect(await oneAppears(client, { topics: ['late'], everyMs: 1, stillMissing, signal })).toBe(true);
    expect(told).toEqual(['late', 'late', 'late']);
  });

  it('is not looked for any more when reading ends', async () => {
    faults.set('late', 'UNKNOWN_TOPIC_OR_PARTITION');
    const end = new AbortController();
    const stillMissing = (): void => end.abort();
    expect(await oneAppears(client, { topics: ['late'], everyMs: 1, stillMissing, signal: end.signal })).toBe(false);
  });

  it('does not keep the others from being read, and publications leave until the end', async () => {
    faults.set('gone', 'UNKNOWN_TOPIC_OR_PARTITION');
    const events = new BridgeEvents();
    const failed: string[] = [];
    events.on('failed', (bridge) => failed.push(bridge));
    let isConnected = false;
    events.on('connected', (_, is) => (isConnected = is));
    const senders: boolean[] = [];
    const outgoing = { use: (senderFor: unknown) => void senders.push(senderFor !== undefined) };
    const source = (kafka: string): KafkaSource => ({
      kafka,
      channel: { namespace: 'order', parts: [{ value: 'key' }] },
      deadLetter: undefined,
      from: 'earliest',
    });
    const bridge = new KafkaBridge({
      packages: { ...kafkajs, Kafka: FakeKafka } as unknown as KafkaPackages,
      broker: {
        brokers: ['127.0.0.1:1'],
        group: 'test',
        ssl: undefined,
        sasl: undefined,
        sources: [source('gone'), source('there')],
      },
      messages: {} as InboundMessages,
      events,
      outgoing: outgoing as BrokerQueues,
    });
    bridge.onApplicationBootstrap();
    await eventually('it reads', () => isConnected);
    expect(subscribed).toEqual(['there']);
    expect(failed).toEqual(['gone']);
    await bridge.stopReading(10_000);
    expect(senders).toEqual([true]);
    await bridge.close();
    expect(senders).toEqual([true, false]);
  });
});

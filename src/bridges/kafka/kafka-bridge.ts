import type { OnApplicationBootstrap } from '@nestjs/common';
import type { Consumer, Kafka } from 'kafkajs';
import type { KafkaBroker } from '../../../config/bridges/brokers.js';
import type { KafkaSource } from '../../../config/bridges/sources.js';
import { aborted, backoffMs, pause, within } from '../../channels/backoff.js';
import type { Bridge } from '../bridge.js';
import type { BridgeEvents } from '../bridge-events.js';
import type { BrokerQueues } from '../broker-queues.js';
import type { InboundMessages } from '../inbound-messages.js';
import { nameOf } from '../outgoing.js';
import { BatchHandler } from './batch-handler.js';
import { existingTopics, oneAppears } from './existing-topics.js';
import { kafkaClient, type KafkaPackages } from './kafka-client.js';
import { KafkaProducers } from './kafka-producers.js';
import { kafkaSender } from './kafka-sender.js';

interface KafkaBridgeParts {
  readonly packages: KafkaPackages;
  readonly broker: KafkaBroker & { readonly sources: readonly KafkaSource[] };
  readonly messages: InboundMessages;
  readonly events: BridgeEvents;
  readonly outgoing: BrokerQueues;
}

/** The partitions of a node that is killed or frozen go to others after this time. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 2_000;
/** How long Kafka may hold a request for messages that are not there. A node that ends waits for it. */
const MAX_WAIT_MS = 500;
const PARTITIONS_AT_ONCE = 4;
/** How often topics that are missing are looked for. */
const MISSING_AGAIN_MS = 10_000;
/** For the connection to end. */
const CLOSE_MS = 1_000;

/** Reads topics as a member of a consumer group, and sends publications and dead letters. */
export class KafkaBridge implements OnApplicationBootstrap, Bridge {
  /** Aborted when nothing more is to be read. */
  private readonly readingEnd = new AbortController();
  private readonly end = new AbortController();
  private running: Promise<void> | undefined;
  /** Rejects when the consumer has given up. */
  private reading: Promise<void> = Promise.resolve();

  constructor(private readonly parts: KafkaBridgeParts) {}

  onApplicationBootstrap(): void {
    this.running = this.run(this.end.signal);
  }

  async stopReading(withinMs: number): Promise<void> {
    this.readingEnd.abort();
    await within(withinMs, this.reading);
  }

  async close(): Promise<void> {
    this.end.abort();
    await within(CLOSE_MS, this.running ?? Promise.resolve());
  }

  private async run(signal: AbortSignal): Promise<void> {
    const { events } = this.parts;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await this.serve(signal, () => (failures = 0));
      } catch (error) {
        events.emit('failed', 'kafka', (error as Error).message);
      }
      events.emit('connected', 'kafka', false);
      await pause(backoffMs(failures), signal);
    }
  }

  /** Until the consumer gives up, or the node ends. */
  private async serve(signal: AbortSignal, connected: () => void): Promise<void> {
    const { packages, broker, outgoing, events } = this.parts;
    const client = kafkaClient(packages, broker);
    const producers = new KafkaProducers(client, packages.Partitioners.DefaultPartitioner);
    const isConnected = (): void => {
      connected();
      events.emit('connected', 'kafka', true);
    };
    const over = new AbortController();
    try {
      const existing = await existingTopics(
        client,
        broker.sources.map(({ kafka }) => kafka),
      );
      outgoing.use((destination) => kafkaSender(producers, nameOf(destination)));
      const changed = this.watchMissing(client, existing, over.signal);
      const sources = broker.sources.filter(({ kafka }) => existing.has(kafka));
      const readingEnd = AbortSignal.any([this.readingEnd.signal, changed, signal]);
      if (sources.length === 0) isConnected();
      else if (!readingEnd.aborted) this.reading = this.read({ client, producers, sources, isConnected, readingEnd });
      await this.reading;
      await aborted(AbortSignal.any([changed, signal]));
    } finally {
      over.abort();
      this.reading = Promise.resolve();
      outgoing.use(undefined);
      await producers.close();
    }
  }

  /** Returns a signal that is aborted when a topic is there that was missing: the consumer has to begin again with it. */
  private watchMissing(client: Kafka, existing: ReadonlySet<string>, over: AbortSignal): AbortSignal {
    const changed = new AbortController();
    const topics = this.parts.broker.sources.map(({ kafka }) => kafka).filter((topic) => !existing.has(topic));
    const stillMissing = (topic: string): void =>
      void this.parts.events.emit('failed', topic, 'the topic does not exist, or this account may not read it');
    const signal = AbortSignal.any([over, this.readingEnd.signal]);
    if (topics.length > 0) {
      void oneAppears(client, { topics, everyMs: MISSING_AGAIN_MS, stillMissing, signal }).then((isThere) => {
        if (isThere) changed.abort();
        return undefined;
      });
    }
    return changed.signal;
  }

  private async read({ client, producers, sources, isConnected, readingEnd }: Reading): Promise<void> {
    const { broker, messages, events } = this.parts;
    const consumer = client.consumer({
      groupId: broker.group,
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: MAX_WAIT_MS,
      allowAutoTopicCreation: false,
      // This class does, with a new consumer.
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
    const handler = new BatchHandler({ sources, producers, messages, events });
    consumer.on(consumer.events.GROUP_JOIN, () => {
      handler.lag.forget();
      isConnected();
    });
    try {
      await consumer.connect();
      for (const { kafka, from } of sources) {
        await consumer.subscribe({ topic: kafka, fromBeginning: from === 'earliest' });
      }
      const ended = endOf(consumer, readingEnd);
      await consumer.run({
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch: (payload) => handler.handle(payload),
      });
      await ended;
    } finally {
      await consumer.disconnect().catch(() => undefined);
      handler.close();
    }
  }
}

interface Reading {
  readonly client: Kafka;
  readonly producers: KafkaProducers;
  readonly sources: readonly KafkaSource[];
  readonly isConnected: () => void;
  readonly readingEnd: AbortSignal;
}

/** Resolves when reading has to end; rejects when the consumer has given up. */
function endOf(consumer: Consumer, signal: AbortSignal): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  });
  // `run` may fail first.
  ended.catch(() => undefined);
  return ended;
}

import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Consumer, Producer } from 'kafkajs';
import type { KafkaBroker } from '../../../config/bridges/brokers.js';
import type { KafkaSource } from '../../../config/bridges/sources.js';
import type { BridgeEvents } from '../bridge-events.js';
import type { InboundMessages } from '../inbound-messages.js';
import type { OutgoingQueue } from '../outgoing-queue.js';
import { aborted, backoffMs, pause } from '../pause.js';
import { BatchHandler } from './batch-handler.js';
import { kafkaSender } from './kafka-sender.js';
import { kafkaClient, type KafkaPackages } from './kafka-client.js';

interface KafkaBridgeParts {
  readonly packages: KafkaPackages;
  readonly broker: KafkaBroker & { readonly sources: readonly KafkaSource[] };
  readonly messages: InboundMessages;
  readonly events: BridgeEvents;
  readonly outgoing: OutgoingQueue;
}

/** The partitions of a node that is killed or frozen go to others after this time. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 2_000;
/** How long Kafka may hold a request for messages that are not there. A node that ends waits for it. */
const MAX_WAIT_MS = 500;
const PARTITIONS_AT_ONCE = 4;
/** How long the end of the process waits for publications to leave. */
const FLUSH_MS = 5_000;

/** Reads topics as a member of a consumer group, and sends dead letters. */
export class KafkaBridge implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly end = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly parts: KafkaBridgeParts) {}

  onApplicationBootstrap(): void {
    this.running = this.run(this.end.signal);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.parts.outgoing.close(FLUSH_MS);
    this.end.abort();
    await this.running;
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
  private async serve(signal: AbortSignal, joined: () => void): Promise<void> {
    const { packages, broker, messages, events } = this.parts;
    const client = kafkaClient(packages, broker);
    const producer = client.producer({
      createPartitioner: packages.Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
    });
    const consumer = client.consumer({
      groupId: broker.group,
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: MAX_WAIT_MS,
      allowAutoTopicCreation: false,
      // This class does, with a new consumer.
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
    const handler = new BatchHandler({ sources: broker.sources, producer, messages, events });
    consumer.on(consumer.events.GROUP_JOIN, () => {
      handler.lag.forget();
      joined();
      events.emit('connected', 'kafka', true);
    });
    try {
      await producer.connect();
      this.parts.outgoing.use(kafkaSender(producer));
      if (broker.sources.length === 0) await this.onlySend(signal, joined);
      else await this.read(consumer, handler, signal);
    } finally {
      this.parts.outgoing.use(undefined);
      handler.close();
      await disconnect(consumer, producer);
    }
  }

  private async onlySend(signal: AbortSignal, connected: () => void): Promise<void> {
    connected();
    this.parts.events.emit('connected', 'kafka', true);
    await aborted(signal);
  }

  private async read(consumer: Consumer, handler: BatchHandler, signal: AbortSignal): Promise<void> {
    const { sources } = this.parts.broker;
    await consumer.connect();
    for (const { kafka, from } of sources) {
      await consumer.subscribe({ topic: kafka, fromBeginning: from === 'earliest' });
    }
    const ended = endOf(consumer, signal);
    await consumer.run({
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
      eachBatch: (payload) => handler.handle(payload),
    });
    await ended;
  }
}

/** Resolves when the node ends; rejects when the consumer has given up. */
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

async function disconnect(consumer: Consumer, producer: Producer): Promise<void> {
  await consumer.disconnect().catch(() => undefined);
  await producer.disconnect().catch(() => undefined);
}

import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { KafkaSource } from '../../../config/bridges/sources.js';
import { backoffMs } from '../../channels/backoff.js';
import type { BridgeEvents, MessageOutcome } from '../bridge-events.js';
import type { InboundMessages, InboundOutcome } from '../inbound-messages.js';
import { VIA_HEADER } from '../outgoing.js';
import { bury } from './dead-letter.js';
import type { KafkaProducers } from './kafka-producers.js';
import { headerOf, kafkaValues } from './kafka-values.js';
import { PartitionLag } from './partition-lag.js';

interface BatchHandlerParts {
  readonly sources: readonly KafkaSource[];
  /** For dead letters. */
  readonly producers: Pick<KafkaProducers, 'send'>;
  readonly messages: InboundMessages;
  readonly events: BridgeEvents;
}

/** Published in one event-loop turn, which the broker keeps in order. */
const CHUNK = 500;
/**
 * A node that was frozen may wake up with messages that another node has published since. Below the five minutes for which
 * the broker knows their keys.
 */
const MAX_HOLD_MS = 60_000;

/** Publishes batches of messages. An offset is resolved, and so committed, when its message is settled. */
export class BatchHandler {
  readonly lag: PartitionLag;
  private readonly sources: ReadonlyMap<string, KafkaSource>;
  private readonly failures = new Map<string, number>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(private readonly parts: BatchHandlerParts) {
    this.sources = new Map(parts.sources.map((source) => [source.kafka, source]));
    this.lag = new PartitionLag(parts.events);
  }

  async handle(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const source = this.sources.get(batch.topic);
    if (source === undefined) return;
    const askedAt = performance.now();
    for (let at = 0; at < batch.messages.length; at += CHUNK) {
      if (!payload.isRunning() || payload.isStale() || performance.now() - askedAt > MAX_HOLD_MS) return;
      const isDone = await this.publish(batch.messages.slice(at, at + CHUNK), source, payload);
      if (!isDone) return;
      await payload.heartbeat();
    }
  }

  /** Partitions that wait are not resumed any more. */
  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.lag.forget();
  }

  /** Returns false if the partition has to wait. */
  private async publish(
    chunk: readonly KafkaMessage[],
    source: KafkaSource,
    payload: EachBatchPayload,
  ): Promise<boolean> {
    const { topic, partition, highWatermark } = payload.batch;
    const outcomes = await Promise.all(chunk.map((message) => this.publishOne(message, source, partition)));
    for (const [index, message] of chunk.entries()) {
      const failure = await this.settle(message, source, { partition, outcome: outcomes[index] ?? 'published' });
      if (failure !== undefined) {
        this.postpone(payload, failure);
        return false;
      }
      payload.resolveOffset(message.offset);
      this.lag.set(topic, partition, Math.max(0, Number(highWatermark) - Number(message.offset) - 1));
    }
    this.failures.delete(`${topic}:${partition}`);
    return true;
  }

  private publishOne(message: KafkaMessage, source: KafkaSource, partition: number): Promise<InboundOutcome> {
    const { value, offset, timestamp } = message;
    // With the time, because a topic that is made again begins at 0 again.
    const key = `kafka:${source.kafka}:${partition}:${offset}:${timestamp}`;
    const inbound = {
      payload: value,
      key,
      source: `kafka:${source.kafka}`,
      via: headerOf(message.headers, VIA_HEADER),
      value: kafkaValues(source.kafka, message),
    };
    return this.parts.messages.publish(inbound, source.channel);
  }

  /** Returns why the message is not settled. */
  private async settle(
    message: KafkaMessage,
    source: KafkaSource,
    { partition, outcome }: { readonly partition: number; readonly outcome: InboundOutcome },
  ): Promise<string | undefined> {
    const { kafka, deadLetter } = source;
    if (typeof outcome === 'string') return this.settled(kafka, outcome);
    if ('failure' in outcome) return outcome.failure;
    const place = `${kafka}:${partition}:${message.offset}`;
    const { refused: reason } = outcome;
    let fate: MessageOutcome = 'skipped';
    try {
      if (deadLetter !== undefined) {
        fate = await bury(this.parts.producers, { topic: deadLetter, message, reason, place });
      }
    } catch (error) {
      return `the dead letter was not stored: ${(error as Error).message}`;
    }
    this.parts.events.emit('refused', kafka, { place, reason });
    return this.settled(kafka, fate);
  }

  private settled(topic: string, outcome: MessageOutcome): undefined {
    this.parts.events.emit('settled', topic, outcome);
  }

  /** Other partitions go on. This one is read again from the message that failed. */
  private postpone(payload: EachBatchPayload, reason: string): void {
    const { topic, partition } = payload.batch;
    const place = `${topic}:${partition}`;
    const failures = this.failures.get(place) ?? 0;
    this.failures.set(place, failures + 1);
    this.parts.events.emit('failed', topic, reason);
    const resume = payload.pause();
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      resume();
    }, backoffMs(failures));
    this.timers.add(timer);
  }
}

import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import type { StreamSource } from '../../../config/bridges/sources.js';
import type { MessageOutcome } from '../bridge-events.js';
import { mostBackoffMs } from '../../channels/backoff.js';
import { VIA_HEADER } from '../outgoing.js';
import { bury } from './dead-letter.js';
import { ensureDurable } from './durable.js';
import type { NatsReader, NatsReaderParts } from './nats-reader.js';
import { subjectValues } from './subject-values.js';

/** Asked for at one time. The durable gives no more than are in flight. */
const PULL_MESSAGES = 100;

/**
 * Reads a durable of JetStream. A message is acknowledged when it is published, and comes again if it is not: to whichever
 * node asks next.
 */
export class StreamReader implements NatsReader {
  readonly done: Promise<void>;
  private pulled: ConsumerMessages | undefined;
  private isStopped = false;
  private readonly inHand = new Set<Promise<void>>();
  private readonly valuesOf: ReturnType<typeof subjectValues>;

  constructor(
    private readonly source: StreamSource,
    private readonly parts: NatsReaderParts,
  ) {
    this.valuesOf = subjectValues(source.nats);
    this.done = this.read();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.pulled?.close();
    await Promise.all(this.inHand);
  }

  private async read(): Promise<void> {
    const { stream, durable } = this.source;
    await ensureDurable(this.source, this.parts);
    const consumer = await this.parts.jetstream.consumers.get(stream, durable);
    if (this.isStopped) return;
    this.pulled = await consumer.consume({ max_messages: PULL_MESSAGES, abort_on_missing_resource: true });
    for await (const message of this.pulled) {
      if (this.isStopped) return;
      const taken = this.handle(message).finally(() => this.inHand.delete(taken));
      this.inHand.add(taken);
    }
  }

  private async handle(message: JsMsg): Promise<void> {
    const { source, parts } = this;
    const place = `${source.stream}:${message.seq}`;
    const published = await parts.messages.publish(
      // With the time, because a stream that is made again begins at 1 again.
      {
        payload: message.data,
        key: `nats:${place}:${message.timestampNanos}`,
        source: `nats:${message.subject}`,
        via: message.headers?.get(VIA_HEADER),
        value: this.valuesOf(message),
      },
      source.channel,
    );
    parts.events.emit('lag', source.nats, message.info.pending);
    if (typeof published === 'string') return this.settle(message, published);
    if ('failure' in published) return this.postpone(message, published.failure);
    const { refused: reason } = published;
    const outcome = await this.bury(message, reason);
    if (outcome === undefined) return;
    parts.events.emit('refused', source.nats, { place, reason });
    this.settle(message, outcome);
  }

  /** Puts a message that can never be published aside. Undefined if it must be tried again. */
  private async bury(message: JsMsg, reason: string): Promise<MessageOutcome | undefined> {
    const { source, parts } = this;
    const { deadLetter } = source;
    if (deadLetter === undefined) return 'skipped';
    const msgID = `${source.stream}:${source.durable}:${message.seq}:${message.timestampNanos}`;
    const letter = { payload: message.data, reason, subject: message.subject };
    try {
      return await bury(letter, parts.packages, (payload, headers) =>
        parts.jetstream.publish(deadLetter, payload, { headers, msgID }),
      );
    } catch (error) {
      this.postpone(message, `the dead letter was not stored: ${(error as Error).message}`);
      return undefined;
    }
  }

  private settle(message: JsMsg, outcome: MessageOutcome): void {
    // If the connection is gone, it comes again, and is known by its key.
    if (!this.parts.connection.isClosed()) message.ack();
    this.parts.events.emit('settled', this.source.nats, outcome);
  }

  private postpone(message: JsMsg, reason: string): void {
    const retryMs = mostBackoffMs(message.info.deliveryCount - 1);
    if (!this.parts.connection.isClosed()) message.nak(retryMs);
    this.parts.events.emit('failed', this.source.nats, reason);
  }
}

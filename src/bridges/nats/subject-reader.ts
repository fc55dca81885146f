import type { Msg, Subscription } from '@nats-io/transport-node';
import type { SubjectSource } from '../../../config/bridges/sources.js';
import type { MessageOutcome } from '../bridge-events.js';
import { VIA_HEADER } from '../outgoing.js';
import { bury } from './dead-letter.js';
import type { NatsReader, NatsReaderParts } from './nats-reader.js';
import { subjectValues } from './subject-values.js';

/** Messages that wait for the broker behind the channels. Further ones are lost, and counted. */
const MAX_IN_HAND = 10_000;

/** Reads a subject of core NATS. Its messages come at most once: nobody keeps one that cannot be published. */
export class SubjectReader implements NatsReader {
  readonly done: Promise<void>;
  private readonly subscription: Subscription;
  private readonly inHand = new Set<Promise<void>>();
  private readonly valuesOf: ReturnType<typeof subjectValues>;

  constructor(
    private readonly source: SubjectSource,
    private readonly parts: NatsReaderParts,
  ) {
    const { nats, queue } = source;
    this.valuesOf = subjectValues(nats);
    this.subscription = parts.connection.subscribe(nats, {
      queue,
      callback: (error, message) => {
        if (error !== null) parts.events.emit('failed', nats, error.message);
        else this.take(message);
      },
    });
    this.done = this.end();
  }

  async stop(): Promise<void> {
    this.subscription.unsubscribe();
    await Promise.all(this.inHand);
  }

  private async end(): Promise<void> {
    const error = await this.subscription.closed;
    if (error instanceof Error) throw error;
  }

  private take(message: Msg): void {
    if (this.inHand.size >= MAX_IN_HAND) return this.settled('lost');
    const taken = this.handle(message).finally(() => this.inHand.delete(taken));
    this.inHand.add(taken);
  }

  private async handle(message: Msg): Promise<void> {
    const { source, parts } = this;
    const outcome = await parts.messages.publish(
      {
        payload: message.data,
        key: undefined,
        source: `nats:${message.subject}`,
        via: message.headers?.get(VIA_HEADER),
        value: this.valuesOf(message),
      },
      source.channel,
    );
    if (typeof outcome === 'string') return this.settled(outcome);
    if ('failure' in outcome) {
      parts.events.emit('failed', source.nats, outcome.failure);
      return this.settled('lost');
    }
    parts.events.emit('refused', source.nats, { place: message.subject, reason: outcome.refused });
    this.settled(await this.bury(message, outcome.refused));
  }

  private async bury({ data: payload, subject }: Msg, reason: string): Promise<MessageOutcome> {
    const { source, parts } = this;
    const { deadLetter } = source;
    if (deadLetter === undefined) return 'skipped';
    try {
      return await bury({ payload, reason, subject }, parts.packages, (letter, headers) =>
        parts.connection.publish(deadLetter, letter, { headers }),
      );
    } catch (error) {
      // The connection has closed, or is about to.
      parts.events.emit('failed', source.nats, `the dead letter was not sent: ${(error as Error).message}`);
      return 'lost';
    }
  }

  private settled(outcome: MessageOutcome): void {
    this.parts.events.emit('settled', this.source.nats, outcome);
  }
}

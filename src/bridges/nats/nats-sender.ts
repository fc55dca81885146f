import { setImmediate as turn } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { ID_HEADER, type OutgoingMessage, type SenderFor, type SendResult } from '../outgoing.js';
import { natsHeaders } from './nats-headers.js';
import type { NatsReaderParts } from './nats-reader.js';
import { natsRefusalOf } from './nats-refusal.js';

type SenderParts = Pick<NatsReaderParts, 'connection' | 'jetstream' | 'packages'>;

/** JetStream stores a message with an id that it knows only once. */
const NATS_ID = 'Nats-Msg-Id';
const ANSWER_MS = 5_000;
const LOST = { failure: 'the connection was lost' };

/**
 * Returns what sends publications to a subject. Those for a stream are acknowledged by it; for the others it is enough that
 * the server has them. One that fails neither stops nor repeats the others.
 */
export function natsSenders(parts: SenderParts): SenderFor {
  const { connection } = parts;
  const beforeItCloses = raceWithClose(connection);
  const forbidden = new ForbiddenSubjects(connection);
  return (destination) => {
    if (!('nats' in destination)) throw new TypeError('it is no destination of NATS');
    const { nats: subject, stream } = destination;
    const send = stream === undefined ? coreSender(subject, parts) : streamSender(subject, stream, parts);
    return async (messages) => {
      if (connection.isClosed()) return messages.map(() => LOST);
      forbidden.forget(subject);
      const results: SendResult[] = messages.map(() => LOST);
      await beforeItCloses(send(messages, results));
      return forbidden.has(subject) ? results.map(refusedUnlessSent(stream)) : results;
    };
  };
}

/** Sends messages, and notes the result of each as soon as it is known. */
type Send = (messages: readonly OutgoingMessage[], results: SendResult[]) => Promise<unknown>;

function streamSender(subject: string, streamName: string, { jetstream, packages }: SenderParts): Send {
  const options = { expect: { streamName }, timeout: ANSWER_MS };
  return (messages, results) =>
    Promise.all(
      messages.map(async (message, index) => {
        try {
          await jetstream.publish(subject, message.payload, { ...options, headers: headersOf(message, packages) });
          results[index] = 'sent';
        } catch (error) {
          results[index] = resultOf(error);
        }
      }),
    );
}

function coreSender(subject: string, { connection, packages }: SenderParts): Send {
  return async (messages, results) => {
    const sent: number[] = [];
    for (const [index, message] of messages.entries()) {
      try {
        connection.publish(subject, message.payload, { headers: headersOf(message, packages) });
        sent.push(index);
      } catch (error) {
        results[index] = resultOf(error);
      }
    }
    await connection.flush().catch(() => undefined);
    // What the server refused, it has said before it answered; its client tells us a turn later.
    await turn();
    if (connection.isClosed()) return;
    for (const index of sent) results[index] = 'sent';
  };
}

function headersOf({ id, headers }: OutgoingMessage, packages: NatsReaderParts['packages']) {
  return natsHeaders(packages, { ...headers, [ID_HEADER]: id, [NATS_ID]: id });
}

function resultOf(error: unknown): SendResult {
  const refused = natsRefusalOf(error);
  return refused === undefined ? { failure: (error as Error).message } : { refused };
}

/** Nobody acknowledges what has no stream: if the account may not send it, it only looks sent. */
function refusedUnlessSent(stream: string | undefined): (result: SendResult) => SendResult {
  return (result) => (result === 'sent' && stream !== undefined ? result : { refused: 'this account may not publish' });
}

/** Subjects to which this account may not publish. The server says so, but not of which message. */
class ForbiddenSubjects {
  private readonly subjects = new Set<string>();

  constructor(connection: NatsConnection) {
    void this.watch(connection);
  }

  has(subject: string): boolean {
    return this.subjects.has(subject);
  }

  /** The rights may have changed. */
  forget(subject: string): void {
    this.subjects.delete(subject);
  }

  /** Ends with the connection. */
  private async watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type !== 'error') continue;
      const { name, operation, subject } = status.error as Error & { operation?: string; subject?: string };
      if (name === 'PermissionViolationError' && operation === 'publish' && subject) this.subjects.add(subject);
    }
  }
}

/** Returns what waits for some work, or until the connection has closed: its client forgets what waits for an answer. */
function raceWithClose(connection: NatsConnection): (work: Promise<unknown>) => Promise<void> {
  const waiting = new Set<() => void>();
  void connection.closed().then(() => {
    for (const resolve of waiting) resolve();
    return waiting.clear();
  });
  return async (work) => {
    let closed: () => void = () => {};
    const closing = new Promise<void>((resolve) => (closed = resolve));
    waiting.add(closed);
    await Promise.race([work, closing]).finally(() => waiting.delete(closed));
  };
}

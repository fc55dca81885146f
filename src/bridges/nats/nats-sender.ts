import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { ID_HEADER, Unsendable, type OutgoingMessage, type Sender } from '../outgoing.js';
import type { NatsReaderParts } from './nats-reader.js';

/** JetStream stores a message with an id that it knows only once. */
const NATS_ID = 'Nats-Msg-Id';
const ANSWER_MS = 5_000;
/** Of the headers beside a payload. */
const HEADER_BYTES = 1_024;

/**
 * Sends publications to their subjects. Those for a stream are acknowledged by it; for the others it is enough that the
 * server has them.
 */
export function natsSender({ connection, jetstream, packages }: NatsReaderParts): Sender {
  const headersOf = ({ id, headers }: OutgoingMessage): MsgHdrs => {
    const given = packages.nats.headers();
    for (const [name, value] of Object.entries(headers)) given.set(name, value);
    given.set(ID_HEADER, id);
    given.set(NATS_ID, id);
    return given;
  };
  const send = async (message: OutgoingMessage): Promise<void> => {
    const { destination, payload } = message;
    if (!('nats' in destination)) return;
    const { nats, stream } = destination;
    const headers = headersOf(message);
    if (stream === undefined) return connection.publish(nats, payload, { headers });
    await jetstream.publish(nats, payload, { headers, expect: { streamName: stream }, timeout: ANSWER_MS });
  };
  const beforeItCloses = raceWithClose(connection);
  return async (messages) => {
    if (connection.isClosed()) throw new Error('the connection was lost');
    const most = (connection.info?.max_payload ?? Infinity) - HEADER_BYTES;
    if (messages.some(({ payload }) => payload.byteLength > most)) throw new Unsendable('it is too large');
    await beforeItCloses(Promise.all([...messages.map(send), connection.flush()]));
  };
}

/** Returns what rejects with a promise, or when the connection has closed: its client forgets what waits for an answer. */
function raceWithClose(connection: NatsConnection): (answer: Promise<unknown>) => Promise<void> {
  const waiting = new Set<(error: Error) => void>();
  void connection.closed().then(() => {
    for (const reject of waiting) reject(new Error('the connection was lost'));
    return waiting.clear();
  });
  return (answer) =>
    new Promise((resolve, reject) => {
      waiting.add(reject);
      answer.then(() => resolve(), reject).finally(() => waiting.delete(reject));
    });
}

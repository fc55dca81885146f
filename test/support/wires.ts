import { fileURLToPath } from 'node:url';
import { Packr } from 'msgpackr';
import protobuf from 'protobufjs';
import { connect, type ClientSetup, type Message, type TestClient } from './test-client.js';

/** How a client of a subprotocol writes and reads, by other code than the server's. */
export interface Wire {
  readonly subprotocol: string;
  write(message: Record<string, unknown>): string | Uint8Array;
  read(message: Message): Message;
}

const packr = new Packr({ useRecords: false, int64AsType: 'number' });
const PROTO_FILE = fileURLToPath(new URL('../../proto/gatehouse/v2/envelope.proto', import.meta.url));
const Envelope = new protobuf.Root().loadSync(PROTO_FILE, { keepCase: true }).lookupType('gatehouse.v2.Envelope');

const json: Wire = {
  subprotocol: 'v1.json',
  write: (message) => JSON.stringify(message),
  read: (message) => message,
};

const messagePack: Wire = {
  subprotocol: 'v1.binary',
  write: (message) => packr.pack(message),
  read: (message) => packr.unpack(bytesOf(message)) as Message,
};

const protocolBuffers: Wire = {
  subprotocol: 'v2.proto',
  write({ id, data, ...fields }) {
    const idField = typeof id === 'string' ? { id_text: id } : { id_number: id };
    const dataField = data === undefined ? {} : { data: toValue(data) };
    return Envelope.encode(
      Envelope.fromObject({ ...fields, ...(id === undefined ? {} : idField), ...dataField }),
    ).finish();
  },
  read(message) {
    const fields = Envelope.toObject(Envelope.decode(bytesOf(message)), { longs: Number, enums: Number });
    const { version, id_text, id_number, data, raw, error, from, ...others } = fields as Record<string, never>;
    const publisher = from as { user_id: string; session_id: string } | undefined;
    return defined({
      v: version,
      id: id_text ?? id_number,
      data: raw ?? (data === undefined ? undefined : fromValue(data)),
      from: publisher && { userId: publisher.user_id, sessionId: publisher.session_id },
      ...others,
      ...(error === undefined ? {} : errorFields(error)),
    }) as Message;
  },
};

/** Every subprotocol that the server speaks. */
export const WIRES: readonly Wire[] = [json, messagePack, protocolBuffers];

export interface WireClient {
  readonly client: TestClient;
  send(message: Record<string, unknown>): void;
  next(): Promise<Message>;
  request(type: string, data?: unknown, id?: string | number): Promise<Message>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A client that speaks through a wire. */
export async function connectWith(wire: Wire, url: string, setup: ClientSetup = {}): Promise<WireClient> {
  const client = await connect(url, { ...setup, protocols: [wire.subprotocol] });
  const next = async (): Promise<Message> => wire.read(await client.next());
  const send = (message: Record<string, unknown>): void => client.send(wire.write(message));
  return {
    client,
    send,
    next,
    request(type, data, id = 'r') {
      send({ type, id, ...(data === undefined ? {} : { data }) });
      return next();
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

function bytesOf(message: Message): Buffer {
  if (!(message['bytes'] instanceof Uint8Array)) throw new Error('The server sent a text frame');
  return Buffer.from(message['bytes']);
}

function toValue(value: unknown): object {
  if (value === null) return { null_value: 0 };
  if (value instanceof Uint8Array) return { bytes_value: value };
  if (Array.isArray(value)) return { list_value: { values: value.map(toValue) } };
  if (typeof value === 'object') {
    const fields = Object.entries(value).map(([key, field]) => [key, toValue(field)]);
    return { map_value: { fields: Object.fromEntries(fields) as object } };
  }
  if (typeof value === 'string') return { string_value: value };
  if (typeof value === 'boolean') return { bool_value: value };
  return Number.isSafeInteger(value) ? { integer_value: value } : { number_value: value };
}

function fromValue(value: Record<string, unknown>): unknown {
  const [[kind, content] = []] = Object.entries(value);
  if (kind === 'null_value') return null;
  if (kind === 'list_value') return ((content as { values?: never[] }).values ?? []).map(fromValue);
  if (kind !== 'map_value') return content;
  const fields = Object.entries((content as { fields?: Record<string, never> }).fields ?? {});
  return Object.fromEntries(fields.map(([key, field]) => [key, fromValue(field)]));
}

function errorFields({ details, retry_after, ...others }: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries((details ?? {}) as Record<string, { reasons: string[] }>);
  return {
    ...others,
    retryAfter: retry_after,
    details: entries.length === 0 ? undefined : Object.fromEntries(entries.map(([key, { reasons }]) => [key, reasons])),
  };
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

import { Reader, Writer } from 'protobufjs/minimal.js';
import type { Codec } from './codec.js';
import { ENVELOPE_VERSION, type ErrorMessage, type OutboundMessage } from '@gatehouse/protocol';
import { EnvelopeError } from '../envelope.js';
import {
  closed,
  endOfMessage,
  readBytes,
  readEntry,
  readInteger,
  readValue,
  skipUnknown,
  toInteger,
  writeString,
  writeValue,
} from './protobuf-value.js';

/** `v2.proto`: proto/gatehouse/v2/envelope.proto, read and written without generated code or objects in between. */
export const protobufCodec: Codec = {
  subprotocol: 'v2.proto',
  frameKind: 'binary',

  decode(bytes) {
    try {
      return readEnvelopeMessage(Reader.create(bytes));
    } catch {
      throw new EnvelopeError('INVALID_MESSAGE_FORMAT');
    }
  },

  encode(message) {
    const writer = Writer.create();
    writer.uint32(Tag.version).uint32(ENVELOPE_VERSION);
    writeString(writer, Tag.type, message.type);
    const { id } = message;
    if (typeof id === 'string') writeString(writer, Tag.idText, id);
    else if (id !== undefined) writer.uint32(Tag.idNumber).sint64(id);
    if ('code' in message) writeError(writer, message);
    else writeMessage(writer, message);
    // Shared, so it is not copied again: this writer is used for no other message.
    return writer.finish(true);
  },
};

/** Fields of Envelope. A tag is field number × 8 + wire type. */
const Tag = {
  version: 0x08,
  type: 0x12,
  idText: 0x1a,
  idNumber: 0x20,
  data: 0x2a,
  raw: 0x32,
  channel: 0x3a,
  seq: 0x40,
  epoch: 0x4a,
  ts: 0x50,
  from: 0x5a,
  trace: 0x62,
  enc: 0x6a,
  error: 0x72,
} as const;
const PublisherTag = { userId: 0x0a, sessionId: 0x12 } as const;
const ErrorTag = { code: 0x0a, message: 0x12, details: 0x1a, retryAfter: 0x20 } as const;
const EntryTag = { key: 0x0a, value: 0x12 } as const;
const REASON = 0x0a;

function writePayload(writer: Writer, data: unknown): void {
  if (data instanceof Uint8Array) {
    writer.uint32(Tag.raw).bytes(data);
  } else if (data !== undefined) {
    writer.uint32(Tag.data).fork();
    writeValue(writer, data, 1);
    writer.ldelim();
  }
}

function writeMessage(writer: Writer, message: OutboundMessage): void {
  const { channel, seq, epoch, ts, from, trace, enc, data } = message;
  writePayload(writer, data);
  if (channel !== undefined) writeString(writer, Tag.channel, channel);
  if (seq !== undefined) writer.uint32(Tag.seq).uint64(seq);
  if (epoch !== undefined) writeString(writer, Tag.epoch, epoch);
  if (ts !== undefined) writer.uint32(Tag.ts).int64(ts);
  if (from !== undefined) {
    writer.uint32(Tag.from).fork();
    writeString(writer, PublisherTag.userId, from.userId);
    writeString(writer, PublisherTag.sessionId, from.sessionId);
    writer.ldelim();
  }
  if (trace !== undefined) writeString(writer, Tag.trace, trace);
  if (enc !== undefined) writeString(writer, Tag.enc, enc);
}

function writeError(writer: Writer, { code, message, details, retryAfter, trace, data }: ErrorMessage): void {
  writePayload(writer, data);
  if (trace !== undefined) writeString(writer, Tag.trace, trace);
  writer.uint32(Tag.error).fork();
  writeString(writer, ErrorTag.code, code);
  writeString(writer, ErrorTag.message, message);
  for (const [field, reasons] of Object.entries(details ?? {})) {
    writer.uint32(ErrorTag.details).fork();
    writeString(writer, EntryTag.key, field);
    writer.uint32(EntryTag.value).fork();
    for (const reason of reasons) writeString(writer, REASON, reason);
    writer.ldelim().ldelim();
  }
  if (retryAfter !== undefined) writer.uint32(ErrorTag.retryAfter).uint64(retryAfter);
  writer.ldelim();
}

type Body = Record<string, unknown>;

function readEnvelopeMessage(reader: Reader): Body {
  const body: Body = {};
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    const field = READ_TEXT.get(tag);
    if (field !== undefined) body[field] = reader.stringVerify();
    else readField(reader, tag, body);
  }
  return body;
}

const READ_TEXT = new Map<number, string>([
  [Tag.type, 'type'],
  [Tag.idText, 'id'],
  [Tag.channel, 'channel'],
  [Tag.epoch, 'epoch'],
  [Tag.trace, 'trace'],
  [Tag.enc, 'enc'],
]);

function readField(reader: Reader, tag: number, body: Body): void {
  switch (tag) {
    case Tag.version:
      // Proto3 does not distinguish 0 from absent.
      body.v = reader.uint32() || ENVELOPE_VERSION;
      return;
    case Tag.idNumber:
      body.id = readInteger(reader);
      return;
    case Tag.data:
      body.data = readValue(reader, endOfMessage(reader), 1);
      return;
    case Tag.raw:
      body.data = readBytes(reader);
      return;
    case Tag.seq:
      body.seq = toInteger(reader.uint64());
      return;
    case Tag.ts:
      body.ts = toInteger(reader.int64());
      return;
    case Tag.from:
      body.from = readPublisher(reader, endOfMessage(reader));
      return;
    case Tag.error:
      readError(reader, endOfMessage(reader), body);
      return;
    default:
      skipUnknown(reader, tag);
  }
}

function readPublisher(reader: Reader, end: number): Body {
  const publisher: Body = { userId: '', sessionId: '' };
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === PublisherTag.userId) publisher.userId = reader.stringVerify();
    else if (tag === PublisherTag.sessionId) publisher.sessionId = reader.stringVerify();
    else skipUnknown(reader, tag);
  }
  return closed(reader, end, publisher);
}

function readError(reader: Reader, end: number, body: Body): void {
  const details: Body = {};
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === ErrorTag.code) body.code = reader.stringVerify();
    else if (tag === ErrorTag.message) body.message = reader.stringVerify();
    else if (tag === ErrorTag.details) readEntry(reader, details, (limit) => readReasons(reader, limit));
    else if (tag === ErrorTag.retryAfter) body.retryAfter = toInteger(reader.uint64());
    else skipUnknown(reader, tag);
  }
  if (Object.keys(details).length > 0) body.details = details;
  closed(reader, end, undefined);
}

function readReasons(reader: Reader, end: number): string[] {
  const reasons: string[] = [];
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === REASON) reasons.push(reader.stringVerify());
    else skipUnknown(reader, tag);
  }
  return closed(reader, end, reasons);
}

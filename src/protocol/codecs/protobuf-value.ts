import type { Reader, Writer } from 'protobufjs/minimal.js';
import { MAX_CONTAINERS, MAX_DEPTH } from './codec.js';
import { hasToJson, MAX_OUTBOUND_DEPTH, refuseUnwritable, tooDeep, wellFormed } from './outbound-value.js';

/** `gatehouse.v2.Value` of proto/gatehouse/v2/envelope.proto. A tag is field number × 8 + wire type. */
const Tag = {
  null: 0x08,
  bool: 0x10,
  number: 0x19,
  integer: 0x20,
  unsigned: 0x28,
  string: 0x32,
  bytes: 0x3a,
  list: 0x42,
  map: 0x4a,
} as const;
/** ListValue.values, MapValue.fields, and the key of a map's entry: each is field 1 of its message. */
const FIRST = 0x0a;
const ENTRY_VALUE = 0x12;

export type Long = ReturnType<Reader['sint64']>;

/** Writes the fields of a Value; the caller has opened the message. `depth` counts the containers around it. */
export function writeValue(writer: Writer, value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      writeString(writer, Tag.string, value);
      return;
    case 'number':
      if (Number.isSafeInteger(value)) writer.uint32(Tag.integer).sint64(value);
      else if (Number.isFinite(value)) writer.uint32(Tag.number).double(value);
      else writer.uint32(Tag.null).uint32(0);
      return;
    case 'boolean':
      writer.uint32(Tag.bool).bool(value);
      return;
    case 'bigint':
      writeBigint(writer, value);
      return;
    case 'undefined':
      writer.uint32(Tag.null).uint32(0);
      return;
    case 'object':
      if (value === null) writer.uint32(Tag.null).uint32(0);
      else writeObject(writer, value, depth + 1);
      return;
    default:
      refuseUnwritable(value);
  }
}

export function writeString(writer: Writer, tag: number, text: string): void {
  writer.uint32(tag).string(wellFormed(text));
}

function writeBigint(writer: Writer, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) writer.uint32(Tag.integer).sint64(value.toString());
  else if (BigInt.asUintN(64, value) === value) writer.uint32(Tag.unsigned).uint64(value.toString());
  else throw new RangeError('Integer beyond 64 bits');
}

function writeObject(writer: Writer, value: object, depth: number): void {
  if (value instanceof Uint8Array) {
    writer.uint32(Tag.bytes).bytes(value);
    return;
  }
  if (depth > MAX_OUTBOUND_DEPTH) throw tooDeep();
  if (hasToJson(value)) {
    writeValue(writer, value.toJSON(), depth);
    return;
  }
  if (Array.isArray(value)) {
    writer.uint32(Tag.list).fork();
    for (const item of value as unknown[]) {
      writer.uint32(FIRST).fork();
      writeValue(writer, item, depth);
      writer.ldelim();
    }
  } else {
    refuseUnwritable(value);
    writer.uint32(Tag.map).fork();
    writeFields(writer, value as Record<string, unknown>, depth);
  }
  writer.ldelim();
}

function writeFields(writer: Writer, fields: Record<string, unknown>, depth: number): void {
  for (const key of Object.keys(fields)) {
    const field = fields[key];
    if (field === undefined) continue;
    writer.uint32(FIRST).fork();
    writeString(writer, FIRST, key);
    writer.uint32(ENTRY_VALUE).fork();
    writeValue(writer, field, depth);
    writer.ldelim().ldelim();
  }
}

/** Reads a Value up to `end`. The last of several kinds counts, as the specification says for a oneof. */
export function readValue(reader: Reader, end: number, depth: number): unknown {
  let value: unknown = null;
  while (reader.pos < end) {
    const tag = reader.tag();
    switch (tag) {
      case Tag.null:
        reader.skip();
        value = null;
        break;
      case Tag.bool:
        value = reader.bool();
        break;
      case Tag.number:
        value = finite(reader.double());
        break;
      case Tag.integer:
        value = readInteger(reader);
        break;
      case Tag.unsigned:
        value = toInteger(reader.uint64());
        break;
      case Tag.string:
        value = reader.stringVerify();
        break;
      case Tag.bytes:
        value = readBytes(reader);
        break;
      case Tag.list:
        value = readList(reader, endOfMessage(reader), depth + 1);
        break;
      case Tag.map:
        value = readMap(reader, (limit) => readValue(reader, limit, depth + 1), depth + 1);
        break;
      default:
        skipUnknown(reader, tag);
    }
  }
  return closed(reader, end, value);
}

/** JSON has no Infinity and no NaN; its subscribers would get null for them. */
function finite(value: number): number {
  if (!Number.isFinite(value)) throw new RangeError('Not finite');
  return value;
}

/** `data` itself is read at depth 1, so its outermost list or map is at depth 2. */
const OUTERMOST = 2;
/** For the current value; reading is synchronous, one value at a time. */
let containers = 0;

function enterContainer(depth: number): void {
  // The outermost container of a value restarts the count.
  containers = depth === OUTERMOST ? 1 : containers + 1;
  if (depth > MAX_DEPTH || containers > MAX_CONTAINERS) throw new RangeError('Too complex');
}

function readList(reader: Reader, end: number, depth: number): unknown[] {
  enterContainer(depth);
  const items: unknown[] = [];
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === FIRST) items.push(readValue(reader, endOfMessage(reader), depth));
    else skipUnknown(reader, tag);
  }
  return closed(reader, end, items);
}

function readMap(reader: Reader, read: (end: number) => unknown, depth: number): Record<string, unknown> {
  enterContainer(depth);
  const end = endOfMessage(reader);
  const fields: Record<string, unknown> = {};
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === FIRST) readEntry(reader, fields, read);
    else skipUnknown(reader, tag);
  }
  return closed(reader, end, fields);
}

/** One entry of a proto3 map: key in field 1, value in field 2, either may be absent. */
export function readEntry(reader: Reader, into: Record<string, unknown>, read: (end: number) => unknown): void {
  const end = endOfMessage(reader);
  let key = '';
  let value: unknown;
  while (reader.pos < end) {
    const tag = reader.tag();
    if (tag === FIRST) key = reader.stringVerify();
    else if (tag === ENTRY_VALUE) value = read(endOfMessage(reader));
    else skipUnknown(reader, tag);
  }
  if (key === '__proto__') throw new RangeError('Refused key');
  into[key] = closed(reader, end, value === undefined ? read(end) : value);
}

/** Reads the length of a message, whose end must be within the bytes. */
export function endOfMessage(reader: Reader): number {
  const length = reader.size();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError('Truncated');
  return end;
}

/** A field beyond the end of its message means that a length is wrong. */
export function closed<T>(reader: Reader, end: number, value: T): T {
  if (reader.pos !== end) throw new RangeError('Overrun');
  return value;
}

/** Nested groups are followed 100 levels deep, then refused: protobufjs' Reader.recursionLimit. */
export function skipUnknown(reader: Reader, tag: number): void {
  reader.skipType(tag & 7, 0, tag >>> 3);
}

/** A copy, because the reader's view would keep the whole network buffer in memory. */
export function readBytes(reader: Reader): Buffer {
  return Uint8Array.prototype.slice.call(reader.bytes()) as Buffer;
}

export function readInteger(reader: Reader): number | bigint {
  const first = reader.buf[reader.pos] ?? 0x80;
  return first < 0x80 && reader.pos < reader.len ? reader.sint32() : toInteger(reader.sint64());
}

/** A number below 2^53, a bigint from there on. */
export function toInteger({ high, low, unsigned }: Long): number | bigint {
  const unsignedLow = low >>> 0;
  if (high < 0x20_0000 && high >= (unsigned ? 0 : -0x20_0000)) return high * 2 ** 32 + unsignedLow;
  const value = (BigInt(high) << 32n) | BigInt(unsignedLow);
  return unsigned ? BigInt.asUintN(64, value) : value;
}

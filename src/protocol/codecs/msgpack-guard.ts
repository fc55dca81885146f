import { isUtf8 } from 'node:buffer';
import { MAX_CONTAINERS, MAX_DEPTH } from './codec.js';

/**
 * One row for each open container: how many elements are missing, and whether these alternate between key and value.
 */
const awaited = new Uint32Array(MAX_DEPTH + 1);
const isMap = new Uint8Array(MAX_DEPTH + 1);

/** The range of a Date, with room for the nanoseconds. */
const LATEST_DATE_SECONDS = 8_639_999_999_000n;

/**
 * Checks the structure of a message without creating objects, so that the decoder gets only what this server accepts:
 * one value and nothing after it; lengths that fit the bytes; MAX_DEPTH; string keys, because `1` and `"1"` would be
 * one key in JSON and Protocol Buffers; UTF-8; no extension except timestamps, because msgpackr's own (records, sets,
 * regular expressions, errors, references) create objects.
 *
 * @throws RangeError at the first byte that breaks a rule
 */
export function guardMessagePack(bytes: Buffer): void {
  let at = 0;
  let depth = 0;
  let outstanding = 1;
  let containers = 0;
  awaited[0] = 1;
  isMap[0] = 0;

  while (outstanding > 0) {
    while (awaited[depth] === 0) depth--;
    const isKey = isMap[depth] === 1 && awaited[depth]! % 2 === 0;
    awaited[depth]!--;
    outstanding--;

    const head = at < bytes.length ? bytes[at++]! : 0xc1;
    const elements = elementsOf(bytes, head, at);
    if (elements === NOT_A_CONTAINER) {
      at = isKey ? endOfKey(bytes, head, at) : endOfScalar(bytes, head, at);
      continue;
    }
    if (isKey || ++depth > MAX_DEPTH || ++containers > MAX_CONTAINERS) refuse();
    if (head >= 0xdc) at += head % 2 === 0 ? 2 : 4;
    outstanding += elements;
    // Every element takes at least one byte. Counted over all open containers, because nested headers could add up.
    if (outstanding > bytes.length - at) refuse();
    awaited[depth] = elements;
    isMap[depth] = head < 0x90 || head >= 0xde ? 1 : 0;
  }
  if (at !== bytes.length) refuse();
}

const NOT_A_CONTAINER = -1;

function elementsOf(bytes: Buffer, head: number, at: number): number {
  if (head < 0x80 || (head >= 0xa0 && head < 0xdc) || head > 0xdf) return NOT_A_CONTAINER;
  if (head < 0x90) return 2 * (head - 0x80);
  if (head < 0xa0) return head - 0x90;
  const declared = head % 2 === 0 ? bytes.readUInt16BE(at) : bytes.readUInt32BE(at);
  return head >= 0xde ? 2 * declared : declared;
}

function endOfScalar(bytes: Buffer, head: number, at: number): number {
  if (head < 0x80 || head >= 0xe0) return at;
  if (head < 0xc0 || (head >= 0xd9 && head <= 0xdb)) return endOfString(bytes, head, at);
  if (head >= 0xc4 && head <= 0xc6)
    return within(bytes, lengthBytes(head - 0xc4) + at + readLength(bytes, head - 0xc4, at));
  if (head === 0xca || head === 0xcb) refuseInfinite(bytes, head, at);
  if (head >= 0xca && head <= 0xd3) return within(bytes, at + NUMBER_BYTES[head - 0xca]!);
  if (head === 0xc0 || head === 0xc2 || head === 0xc3) return at;
  return endOfTimestamp(bytes, head, at);
}

/** Infinity and NaN have all exponent bits set. JSON subscribers would get null for them. */
function refuseInfinite(bytes: Buffer, head: number, at: number): void {
  const exponentEnd = head === 0xca ? 0x80 : 0xf0;
  if (((bytes[at] ?? 0) & 0x7f) === 0x7f && ((bytes[at + 1] ?? 0) & exponentEnd) === exponentEnd) refuse();
}

/** float 32, float 64, uint 8 to 64, int 8 to 64 */
const NUMBER_BYTES = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8] as const;

function endOfKey(bytes: Buffer, head: number, at: number): number {
  const end = endOfString(bytes, head, at);
  const start = head < 0xc0 ? at : at + lengthBytes(head - 0xd9);
  const isProto =
    end - start === PROTO.length && bytes[start] === 0x5f && bytes.toString('latin1', start, end) === PROTO;
  return isProto ? refuse() : end;
}

const PROTO = '__proto__';

function endOfString(bytes: Buffer, head: number, at: number): number {
  if (head >= 0xa0 && head < 0xc0) return endOfText(bytes, at, at + head - 0xa0);
  if (head < 0xd9 || head > 0xdb) return refuse();
  const start = at + lengthBytes(head - 0xd9);
  return endOfText(bytes, start, start + readLength(bytes, head - 0xd9, at));
}

function endOfText(bytes: Buffer, start: number, end: number): number {
  within(bytes, end);
  // For 27 bytes of ASCII this takes 24 ns, while isUtf8 and the view it needs take 185 ns.
  if (end - start <= 64 && isAscii(bytes, start, end)) return end;
  return isUtf8(bytes.subarray(start, end)) ? end : refuse();
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  let seen = 0;
  for (let at = start; at < end; at++) seen |= bytes[at]!;
  return seen < 0x80;
}

/** Type -1 in its three sizes. The 96-bit form can exceed the range of a Date. */
function endOfTimestamp(bytes: Buffer, head: number, at: number): number {
  if (head === 0xd6 && bytes[at] === 0xff) return within(bytes, at + 5);
  if (head === 0xd7 && bytes[at] === 0xff) return within(bytes, at + 9);
  if (head !== 0xc7 || bytes[at] !== 12 || bytes[at + 1] !== 0xff) return refuse();
  const seconds = bytes.readBigInt64BE(at + 6);
  return seconds > -LATEST_DATE_SECONDS && seconds < LATEST_DATE_SECONDS ? at + 14 : refuse();
}

/** `size` is 0, 1 or 2 for lengths of 8, 16 and 32 bits. */
function lengthBytes(size: number): number {
  return 1 << size;
}

function readLength(bytes: Buffer, size: number, at: number): number {
  if (size === 0) return bytes.readUInt8(at);
  return size === 1 ? bytes.readUInt16BE(at) : bytes.readUInt32BE(at);
}

function within(bytes: Buffer, end: number): number {
  return end <= bytes.length ? end : refuse();
}

function refuse(): never {
  throw new RangeError('Refused MessagePack');
}

/// <reference lib="es2024.string" />
// The entries without the native string extractor: it is optional, so what it does differently must not matter.
import { Packr, RESET_BUFFER_MODE } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';
import type { Codec } from './codec.js';
import { ENVELOPE_VERSION, type ServerMessage } from '@gatehouse/protocol';
import { EnvelopeError } from '../envelope.js';
import { guardMessagePack } from './msgpack-guard.js';
import { type LeafRules, needsTranslation, translate, wellFormed } from './outbound-value.js';

/**
 * `v1.binary`: the envelope of `v1.json` in MessagePack, with native bytes, 64-bit integers and timestamps. Known loss:
 * msgpackr 2.1.3 drops a byte order mark (U+FEFF) at the start of a received string of more than 64 bytes.
 */
export const msgpackCodec: Codec = {
  subprotocol: 'v1.binary',
  frameKind: 'binary',

  decode(bytes) {
    try {
      guardMessagePack(bytes);
      return unpackr.unpack(bytes);
    } catch {
      throw new EnvelopeError('INVALID_MESSAGE_FORMAT');
    }
  },

  encode(message) {
    const body = bodyOf(message);
    const writable = needsTranslation(body, FOREIGN_TO_MSGPACK, 1) ? translate(body, FOREIGN_TO_MSGPACK, 1) : body;
    // msgpackr returns a view into its working buffer. The copy (0.3 µs at most) frees that buffer for the next
    // message. Otherwise a small frame in a queue or a history would keep a buffer as large as the largest message ever
    // sent.
    return Buffer.from(packr.pack(writable, RESET_BUFFER_MODE));
  },
};

/** `int64AsType: 'auto'` exists (number up to 2^53, bigint beyond) but is missing in the package's types. */
const unpackr = new Unpackr({
  useRecords: false,
  mapsAsObjects: true,
  copyBuffers: true,
  int64AsType: 'auto' as 'number',
});

/** `variableMapSize`: the default writes two more bytes for each map, and throws at 65,536 keys. */
const packr = new Packr({ useRecords: false, variableMapSize: true, useToJSON: false, encodeUndefinedAsNil: true });

const OPTIONAL_FIELDS = ['id', 'channel', 'seq', 'epoch', 'ts', 'trace', 'enc', 'data'] as const;

function bodyOf(message: ServerMessage): Record<string, unknown> {
  const body: Record<string, unknown> = { v: ENVELOPE_VERSION, type: message.type };
  if ('code' in message) {
    const { id, code, message: sentence, details, retryAfter, trace, data } = message;
    if (id !== undefined) body.id = id;
    if (trace !== undefined) body.trace = trace;
    body.code = code;
    body.message = sentence;
    if (details !== undefined) body.details = details;
    if (retryAfter !== undefined) body.retryAfter = retryAfter;
    if (data !== undefined) body.data = data;
    return body;
  }
  for (const field of OPTIONAL_FIELDS) {
    const value = message[field];
    if (value !== undefined) body[field] = value;
  }
  // Field by field, because a publisher may be a whole Session.
  if (message.from !== undefined) body.from = { userId: message.from.userId, sessionId: message.from.sessionId };
  return body;
}

/**
 * Values that msgpackr would encode wrongly: an absent value as extension 0, a lone surrogate as bytes that are not
 * UTF-8, an integer beyond 32 bits as a float (which a Go or Rust client does not read into an integer). NaN and the
 * infinities become null, as in every codec.
 */
const FOREIGN_TO_MSGPACK: LeafRules = {
  coversKeys: true,
  isForeign(leaf) {
    if (typeof leaf === 'string') return !leaf.isWellFormed();
    if (typeof leaf === 'number') return isForeignNumber(leaf);
    return leaf === undefined || (leaf instanceof Date && Number.isNaN(leaf.getTime()));
  },
  translate(leaf) {
    if (typeof leaf === 'string') return wellFormed(leaf);
    if (typeof leaf === 'number') return translateNumber(leaf);
    return leaf instanceof Date && Number.isNaN(leaf.getTime()) ? null : leaf;
  },
};

/** Ordinary numbers pay for two comparisons, which are false for NaN. */
function isForeignNumber(value: number): boolean {
  if (value <= 0xffff_ffff && value >= -0x8000_0000) return false;
  return Number.isSafeInteger(value) || !Number.isFinite(value);
}

function translateNumber(value: number): number | bigint | null {
  if (!isForeignNumber(value)) return value;
  return Number.isFinite(value) ? BigInt(value) : null;
}

import { deserialize, serialize } from 'node:v8';
import { Packr } from 'msgpackr';
import type { Draft } from './broker.js';

const packr = new Packr({ useRecords: false });
/** What v8 writes begins so; what is packed here is a list, and begins otherwise. */
const V8_MARK = 0xff;
/** msgpackr loses a byte order mark at the beginning of a text, and renames keys that are `__proto__`. */
const MISREAD = ['\u{feff}', '__proto__'].map((text) => Buffer.from(text));

/** MessagePack, and for the few values that it would change v8's own form: thrice as slow, and exact. */
export function encodeDraft({ data, from, excludeSession, expiresAt }: Draft): Buffer {
  const fields = [data, from?.userId, from?.sessionId, excludeSession, expiresAt];
  const packed = packr.pack(fields);
  return MISREAD.some((text) => packed.includes(text)) ? serialize(fields) : packed;
}

/** @throws Error where the bytes were not written by `encodeDraft` */
export function decodeDraft(bytes: Buffer): Draft {
  const fields: unknown = bytes[0] === V8_MARK ? deserialize(bytes) : packr.unpack(bytes);
  if (!Array.isArray(fields)) throw new Error('A publication in Redis is not readable');
  const [data, userId, sessionId, excludeSession, expiresAt] = fields as [
    unknown,
    ...(string | undefined)[],
    number | undefined,
  ];
  const from = typeof userId === 'string' && typeof sessionId === 'string' ? { userId, sessionId } : undefined;
  return {
    data,
    from,
    excludeSession: excludeSession as string | undefined,
    expiresAt: expiresAt as number | undefined,
  };
}

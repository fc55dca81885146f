/// <reference lib="es2024.string" />
import { Packr } from 'msgpackr';
import type { Draft } from './broker.js';

type Fields = [
  data: unknown,
  userId: string | undefined,
  sessionId: string | undefined,
  excludeSession: string | undefined,
  expiresAt: number | undefined,
  /**
   * With a trace, this field holds the trace, and texts are escaped too: older releases know only that the field is not
   * false.
   */
  isEscaped: boolean | string,
  /** Written only if set, so that nodes of an older release can read unencrypted publications. */
  enc?: string,
];

const packr = new Packr({ useRecords: false });
/** msgpackr drops a byte order mark at the start of a text, and renames keys that are `__proto__`. */
const MISREAD = ['\u{feff}', '__proto__'].map((text) => Buffer.from(text));
/** Half of a surrogate pair becomes ED A0…BF, which is not UTF-8. ED 80…9F is Hangul. */
const SURROGATE = 0xed;
const FIRST_SURROGATE = 0xa0;

/**
 * Encodes as MessagePack. If msgpackr would change or refuse a value, or if there is a trace, every text is escaped.
 */
export function encodeDraft({ data, from, excludeSession, expiresAt, enc, trace }: Draft): Buffer {
  const rest = [from?.userId, from?.sessionId, excludeSession, expiresAt] as const;
  const more: [string?] = enc === undefined ? [] : [enc];
  const packed = trace === undefined ? packedOrNot([data, ...rest, false, ...more]) : undefined;
  return packed && !isMisread(packed) ? packed : packr.pack([escaped(data), ...rest, trace ?? true, ...more]);
}

/** @throws Error if the bytes were not written by `encodeDraft` */
export function decodeDraft(bytes: Buffer): Draft {
  const fields: unknown = packr.unpack(bytes);
  if (!isFields(fields)) throw new Error('Malformed publication in Redis');
  const [data, userId, sessionId, excludeSession, expiresAt, isEscaped, enc] = fields;
  const from = typeof userId === 'string' && typeof sessionId === 'string' ? { userId, sessionId } : undefined;
  const draft = { data: isEscaped ? unescaped(data) : data, from, excludeSession, expiresAt };
  const sealed = enc === undefined ? draft : { ...draft, enc };
  return typeof isEscaped === 'string' ? { ...sealed, trace: isEscaped } : sealed;
}

function isFields(fields: unknown): fields is Fields {
  if (!Array.isArray(fields)) return false;
  return fields.length === 6 || (fields.length === 7 && typeof fields[6] === 'string');
}

/** Returns undefined for a key `toJSON` beside a key `constructor`, which msgpackr takes for a method. */
function packedOrNot(fields: Fields): Buffer | undefined {
  try {
    return packr.pack(fields);
  } catch {
    return undefined;
  }
}

function isMisread(packed: Buffer): boolean {
  if (MISREAD.some((text) => packed.includes(text))) return true;
  for (let at = packed.indexOf(SURROGATE); at >= 0; at = packed.indexOf(SURROGATE, at + 1)) {
    if ((packed[at + 1] ?? 0) >= FIRST_SURROGATE) return true;
  }
  return false;
}

/** Copies the value with a dot in front of every text and key, so that none has a special meaning. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return `.${value.toWellFormed()}`;
  return mapped(value, escaped, (key) => `.${key.toWellFormed()}`);
}

function unescaped(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(1);
  return mapped(value, unescaped, (key) => key.slice(1));
}

function mapped(value: unknown, each: (item: unknown) => unknown, keyOf: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map(each);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [keyOf(key), each(field)]));
}

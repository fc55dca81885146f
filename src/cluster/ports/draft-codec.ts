/// <reference lib="es2024.string" />
import { Packr } from 'msgpackr';
import type { Draft } from './broker.js';

type Fields = [
  data: unknown,
  userId: string | undefined,
  sessionId: string | undefined,
  excludeSession: string | undefined,
  expiresAt: number | undefined,
  /** Where there is a trace, the trace: then it is escaped too, for older releases know only that it is not false. */
  isEscaped: boolean | string,
  /** Written where there is one, so that the nodes of an older release can read what is plain. */
  enc?: string,
];

const packr = new Packr({ useRecords: false });
/** msgpackr loses a byte order mark at the beginning of a text, and renames keys that are `__proto__`. */
const MISREAD = ['\u{feff}', '__proto__'].map((text) => Buffer.from(text));
/** Half of a surrogate pair becomes ED A0…BF, which is no UTF-8; ED 80…9F is Hangul. */
const SURROGATE = 0xed;
const FIRST_SURROGATE = 0xa0;

/** MessagePack; where msgpackr would change or refuse a value, and where there is a trace, with every text in it escaped. */
export function encodeDraft({ data, from, excludeSession, expiresAt, enc, trace }: Draft): Buffer {
  const rest = [from?.userId, from?.sessionId, excludeSession, expiresAt] as const;
  const more: [string?] = enc === undefined ? [] : [enc];
  const packed = trace === undefined ? packedOrNot([data, ...rest, false, ...more]) : undefined;
  return packed && !isMisread(packed) ? packed : packr.pack([escaped(data), ...rest, trace ?? true, ...more]);
}

/** @throws Error where the bytes were not written by `encodeDraft` */
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

/** Undefined for a key `toJSON` beside a key `constructor`: msgpackr takes that for a method. */
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

/** A copy in which every text and key begins with a dot: then none is one that means something else. */
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

/// <reference lib="es2024.string" />
import { Packr } from 'msgpackr';

const packr = new Packr({ useRecords: false });
/** msgpackr drops a byte order mark at the start of a text, and renames keys that are `__proto__`. */
const MISREAD = ['\u{feff}', '__proto__'].map((text) => Buffer.from(text));
/** Half of a surrogate pair becomes ED A0…BF, which is not UTF-8. ED 80…9F is Hangul. */
const SURROGATE = 0xed;
const FIRST_SURROGATE = 0xa0;

export function pack(value: unknown): Buffer {
  return packr.pack(value);
}

export function unpack(bytes: Uint8Array): unknown {
  return packr.unpack(bytes) as unknown;
}

/**
 * Encodes as MessagePack. Returns undefined if msgpackr would change or refuse the value. It refuses a key `toJSON`
 * beside a key `constructor`, which it takes for a method.
 */
export function packIfFaithful(value: unknown): Buffer | undefined {
  try {
    const packed = packr.pack(value);
    return isMisread(packed) ? undefined : packed;
  } catch {
    return undefined;
  }
}

/** Copies the value with a dot in front of every text and key, so that none has a special meaning. */
export function escaped(value: unknown): unknown {
  if (typeof value === 'string') return `.${value.toWellFormed()}`;
  return mapped(value, escaped, (key) => `.${key.toWellFormed()}`);
}

export function unescaped(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(1);
  return mapped(value, unescaped, (key) => key.slice(1));
}

function isMisread(packed: Buffer): boolean {
  if (MISREAD.some((text) => packed.includes(text))) return true;
  for (let at = packed.indexOf(SURROGATE); at >= 0; at = packed.indexOf(SURROGATE, at + 1)) {
    if ((packed[at + 1] ?? 0) >= FIRST_SURROGATE) return true;
  }
  return false;
}

function mapped(value: unknown, each: (item: unknown) => unknown, keyOf: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map(each);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [keyOf(key), each(field)]));
}

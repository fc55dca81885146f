import type { ForwardedRecord } from '../edge-protocol.js';

const MAX_TTL_MS = 2_147_483_647;
const MAX_KEY_LENGTH = 128;

/** Returns the record, or undefined if it is none. Without a usable seq it could not even be refused. */
export function recordIn(given: Readonly<Record<string, unknown>>): ForwardedRecord | undefined {
  const { seq, channel, data, ttlMs, key } = given;
  if (!isSeq(seq) || typeof channel !== 'string' || data === undefined) return undefined;
  if (ttlMs !== undefined && !(isSeq(ttlMs) && ttlMs <= MAX_TTL_MS)) return undefined;
  if (key !== undefined && !(typeof key === 'string' && key.length > 0 && key.length <= MAX_KEY_LENGTH)) {
    return undefined;
  }
  return { seq, channel, data, ...(ttlMs !== undefined && { ttlMs }), ...(key !== undefined && { key }) };
}

/** Whether every record has a seq, above that of the one before. */
export function areInOrder(records: readonly Readonly<Record<string, unknown>>[]): boolean {
  let last = 0;
  for (const { seq } of records) {
    if (!isSeq(seq) || seq <= last) return false;
    last = seq;
  }
  return true;
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { isObject } from './merge-patch.js';

/** Levels of a value. Each subscriber merges it field by field. */
const MAX_DEPTH = 32;
/** Characters of a key. */
export const MAX_KEY_LENGTH = 256;
const CONTROL = /\p{Cc}/u;

/** Anything JSON can write, without the key that is a prototype elsewhere. */
class Unfit extends Error {}

/**
 * A copy of a patch that every subscriber can merge, with its numbers rounded.
 *
 * @param round field at the top of the value → decimals
 * @throws GatehouseError VALIDATION_FAILED
 */
export function checkedPatch(patch: unknown, round: ReadonlyMap<string, number>): unknown {
  try {
    if (patch === undefined || patch === null) throw new Unfit('must not be null; state.remove removes a key');
    const copy = copyOf(patch, 1);
    if (isObject(copy)) for (const [field, decimals] of round) roundField(copy, field, decimals);
    return copy;
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    throw new GatehouseError('VALIDATION_FAILED', { details: { patch: [`patch ${error.message}`] } });
  }
}

/** @throws GatehouseError VALIDATION_FAILED */
export function demandKey(key: unknown): asserts key is string {
  if (typeof key === 'string' && isKey(key)) return;
  const reason = `key must be a string of 1 to ${MAX_KEY_LENGTH} characters without control characters, not __proto__`;
  throw new GatehouseError('VALIDATION_FAILED', { details: { key: [reason] } });
}

function isKey(key: string): boolean {
  return key !== '' && key.length <= MAX_KEY_LENGTH && key !== '__proto__' && key.isWellFormed() && !CONTROL.test(key);
}

function copyOf(value: unknown, depth: number): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Unfit('must not hold NaN or Infinity');
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
    return value;
  }
  if (depth > MAX_DEPTH) throw new Unfit(`must not be deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return value.map((item) => copyOf(item ?? null, depth + 1));
  if (!isPlain(value)) throw new Unfit('must be JSON: no bytes, dates or 64-bit integers');
  const copy: Record<string, unknown> = {};
  for (const field of Object.keys(value)) {
    const part = value[field];
    if (field === '__proto__') throw new Unfit('must not have a field __proto__');
    if (part !== undefined) copy[field] = copyOf(part, depth + 1);
  }
  return copy;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function roundField(value: Record<string, unknown>, field: string, decimals: number): void {
  const number = Object.hasOwn(value, field) ? value[field] : undefined;
  // `+ 0` makes 0 of -0.
  if (typeof number === 'number') value[field] = Number(number.toFixed(decimals)) + 0;
}

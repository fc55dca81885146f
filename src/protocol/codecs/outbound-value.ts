/// <reference lib="es2024.string" />
import { MAX_DEPTH } from './codec.js';

/**
 * The deepest value that a codec writes. It is above MAX_DEPTH because replies wrap data of clients (a history item is
 * four levels down): otherwise one publication at MAX_DEPTH would make every later recovery of its channel fail. It
 * also ends a cycle: a walk without an end reaches this depth.
 */
export const MAX_OUTBOUND_DEPTH = MAX_DEPTH + 16;

/** Which leaves an encoder cannot write, and what it writes instead. A leaf is a value without fields. */
export interface LeafRules {
  isForeign(leaf: unknown): boolean;
  translate(leaf: unknown): unknown;
  /** Whether keys follow the same rules; JSON escapes every key by itself. */
  readonly coversKeys: boolean;
}

/**
 * Whether `value` must go through `translate` before it is encoded. Costs about 20 ns for each field.
 *
 * @throws TypeError for values that cannot be encoded, RangeError if deeper than MAX_OUTBOUND_DEPTH
 */
export function needsTranslation(value: unknown, rules: LeafRules, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return isForeignPrimitive(value, rules);
  if (depth > MAX_OUTBOUND_DEPTH) throw tooDeep();
  if (Array.isArray(value)) {
    for (const item of value) if (needsTranslation(item, rules, depth + 1)) return true;
    return false;
  }
  if (isExotic(value)) {
    if (isLeaf(value)) return rules.isForeign(value);
    if (hasToJson(value)) return true;
    refuseUnwritable(value);
  }
  return fieldsNeedTranslation(value as Record<string, unknown>, rules, depth);
}

function fieldsNeedTranslation(fields: Record<string, unknown>, rules: LeafRules, depth: number): boolean {
  for (const key of Object.keys(fields)) {
    const field = fields[key];
    if (typeof field === 'function' && key === 'toJSON') return true;
    if (rules.coversKeys && rules.isForeign(key)) return true;
    if (needsTranslation(field, rules, depth + 1)) return true;
  }
  return false;
}

/** A copy of plain objects and arrays, with every leaf translated and `undefined` fields omitted. */
export function translate(value: unknown, rules: LeafRules, depth: number): unknown {
  if (typeof value !== 'object' || value === null) {
    refuseUnwritable(value);
    return rules.translate(value);
  }
  if (depth > MAX_OUTBOUND_DEPTH) throw tooDeep();
  if (isLeaf(value)) return rules.translate(value);
  if (hasToJson(value)) return translate(value.toJSON(), rules, depth + 1);
  if (Array.isArray(value)) return value.map((item) => translate(item, rules, depth + 1) ?? null);
  refuseUnwritable(value);

  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (field === undefined) continue;
    const name = rules.coversKeys ? (rules.translate(key) as string) : key;
    setField(copy, name, translate(field, rules, depth + 1));
  }
  return copy;
}

/** UTF-8 has no lone surrogates. Strict clients (Go, Python, Rust) would refuse the whole frame for one. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

export function tooDeep(): RangeError {
  return new RangeError(`Value nested deeper than ${MAX_OUTBOUND_DEPTH} levels, or a cycle`);
}

export function isLeaf(value: object): value is Uint8Array | Date {
  return value instanceof Uint8Array || value instanceof Date;
}

export function hasToJson(value: object): value is { toJSON(): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

/** JSON.stringify silently drops these or writes `{}`. The usual cause is a promise without await. */
export function refuseUnwritable(value: unknown): void {
  if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`A ${typeof value} cannot be sent`);
  if (typeof value !== 'object' || value === null || !isExotic(value)) return;
  const unwritable =
    value instanceof Promise ||
    value instanceof Error ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof ArrayBuffer ||
    ArrayBuffer.isView(value);
  if (unwritable) throw new TypeError(`A ${value.constructor.name} cannot be sent`);
}

/** Sets an own property, also for `__proto__`, where plain assignment would set the prototype. */
export function setField(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

function isForeignPrimitive(value: unknown, rules: LeafRules): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') refuseUnwritable(value);
  return rules.isForeign(value);
}

/** Neither a literal nor a result of JSON.parse: a class instance, a Date, bytes … */
function isExotic(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null;
}

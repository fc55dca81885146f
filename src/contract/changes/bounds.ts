import type { JsonSchema } from '../schemas/json-schema.js';

/** Bounds that let less through the higher they are, and how a sentence names them. */
const AT_LEAST = {
  minLength: 'characters',
  minItems: 'items',
  minProperties: 'fields',
  minimum: '',
  exclusiveMinimum: '(exclusive)',
} as const;
const AT_MOST = {
  maxLength: 'characters',
  maxItems: 'items',
  maxProperties: 'fields',
  maximum: '',
  exclusiveMaximum: '(exclusive)',
} as const;
/** Rules of which nobody can say whether one lets more through than another. */
const EXACT = ['pattern', 'format', 'multipleOf', 'uniqueItems', 'not'] as const;

/** A sentence for each bound that lets less through than before. */
export function tightenedBounds(before: JsonSchema, after: JsonSchema): string[] {
  const raised = Object.entries(AT_LEAST).flatMap(([bound, unit]) => {
    const [was, is] = [numberAt(before, bound), numberAt(after, bound)];
    if (is === undefined || is <= (was ?? -Infinity)) return [];
    return [`must now be at least ${is} ${unit}`.trim() + formerly(was)];
  });
  const lowered = Object.entries(AT_MOST).flatMap(([bound, unit]) => {
    const [was, is] = [numberAt(before, bound), numberAt(after, bound)];
    if (is === undefined || is >= (was ?? Infinity)) return [];
    return [`may now be at most ${is} ${unit}`.trim() + formerly(was)];
  });
  const other = EXACT.filter((rule) => after[rule] !== undefined && !isSame(before[rule], after[rule])).map(
    (rule) => `must now fit ${rule} ${JSON.stringify(after[rule])}${formerly(before[rule])}`,
  );
  const isClosed = after.additionalProperties === false && before.additionalProperties !== false;
  return [...raised, ...lowered, ...other, ...(isClosed ? ['may have no other fields now'] : [])];
}

function numberAt(schema: JsonSchema, bound: string): number | undefined {
  const value = schema[bound];
  return typeof value === 'number' ? value : undefined;
}

function formerly(was: unknown): string {
  return was === undefined ? '' : `; it was ${typeof was === 'number' ? was : JSON.stringify(was)}`;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

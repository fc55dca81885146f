import { referenceIn, type JsonSchema } from '../schemas/json-schema.js';

const ANYTHING = 'anything';

/** Whether each type of value that one schema allows is allowed by the other. What is inside the value is compared elsewhere. */
export function isWithin(inner: JsonSchema, outer: JsonSchema): boolean {
  const allowed = namesOf(outer);
  if (allowed.includes(ANYTHING)) return true;
  return namesOf(inner).every((name) => allowed.includes(name) || (name === 'integer' && allowed.includes('number')));
}

/** The types of a schema, for a sentence. */
export function typesOf(schema: JsonSchema): string {
  return namesOf(schema).join(' or ');
}

function namesOf(schema: JsonSchema): string[] {
  const reference = referenceIn(schema);
  if (reference !== undefined) return [reference];
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return alternatives.flatMap(namesOf);
  if ('const' in schema) return [kindOf(schema.const)];
  if (schema.type !== undefined) return [schema.type].flat();
  if (schema.enum !== undefined) return [...new Set(schema.enum.map(kindOf))];
  return schema.properties === undefined ? [ANYTHING] : ['object'];
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

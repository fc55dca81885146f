import { referenceIn, type JsonSchema } from '../schemas/json-schema.js';

const PLAIN: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  null: 'null',
};

/** A schema as a TypeScript type. What TypeScript cannot say, such as the length of a text, is left out. */
export function typeText(schema: JsonSchema, indent = ''): string {
  const name = referenceIn(schema);
  if (name !== undefined) return name;
  if ('const' in schema) return literal(schema.const);
  if (schema.enum !== undefined) return union(schema.enum.map(literal));
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return union(alternatives.map((one) => typeText(one, indent)));
  if (schema.allOf !== undefined) return schema.allOf.map((one) => inParentheses(typeText(one, indent))).join(' & ');
  if (schema.type === undefined) return 'unknown';
  return union([schema.type].flat().map((type) => ofType(type, schema, indent)));
}

function ofType(type: string, schema: JsonSchema, indent: string): string {
  if (type === 'array') return `${inParentheses(typeText(schema.items ?? {}, indent))}[]`;
  return type === 'object' ? objectText(schema, indent) : (PLAIN[type] ?? 'unknown');
}

/** The fields of an object, each on its line. */
export function objectText(schema: JsonSchema, indent = ''): string {
  const { properties = {}, required = [], additionalProperties } = schema;
  const inner = `${indent}  `;
  const fields = Object.entries(properties).map(([name, field]) => {
    const mark = required.includes(name) ? '' : '?';
    return `${comment(field.description, inner)}${inner}${propertyName(name)}${mark}: ${typeText(field, inner)};\n`;
  });
  if (typeof additionalProperties === 'object') return recordText(fields, additionalProperties, indent);
  return fields.length === 0 ? 'Record<string, unknown>' : `{\n${fields.join('')}${indent}}`;
}

function recordText(fields: readonly string[], values: JsonSchema, indent: string): string {
  const record = `Record<string, ${typeText(values, indent)}>`;
  return fields.length === 0 ? record : `{\n${fields.join('')}${indent}} & ${record}`;
}

/** Before what it is about, on lines of its own. */
export function comment(text: string | undefined, indent: string): string {
  // What ends the comment would let a description write code.
  return text === undefined ? '' : `${indent}/** ${text.replaceAll('*/', '*\\/').replaceAll('\n', ' ')} */\n`;
}

export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
}

/** A value as code. */
export function literal(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(' | ') || 'never';
}

function inParentheses(type: string): string {
  return type.includes(' | ') || type.includes(' & ') ? `(${type})` : type;
}

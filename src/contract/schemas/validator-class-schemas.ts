import type { Type } from '@nestjs/common';
import { defaultMetadataStorage as transformerStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage, ValidationTypes } from 'class-validator';
import { targetConstructorToSchema } from 'class-validator-jsonschema';
import type { ClassSchemas } from './class-schemas.js';
import type { JsonSchema } from './json-schema.js';

type Metadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];
type Converter = JsonSchema | ((rule: Metadata) => JsonSchema);

/** What class-validator-jsonschema says of these rules is less, or other, than what class-validator checks. */
const CONVERTERS: Readonly<Record<string, Converter>> = {
  [ValidationTypes.CUSTOM_VALIDATION]: typeOfField,
  [ValidationTypes.IS_DEFINED]: {},
  isNotEmpty: { minLength: 1 },
  isIn: ({ constraints }) => valuesOf([...(constraints[0] as Iterable<unknown>)]),
  isEnum: ({ constraints }) => valuesOf(constraints[1] as unknown[]),
  equals: ({ constraints }) => valuesOf([constraints[0]]),
  min: ({ constraints }) => ({ minimum: constraints[0] as number }),
  max: ({ constraints }) => ({ maximum: constraints[0] as number }),
  isPositive: { exclusiveMinimum: 0 },
  isNegative: { exclusiveMaximum: 0 },
  isDate: { type: 'string', format: 'date-time' },
  minDate: { type: 'string', format: 'date-time' },
  maxDate: { type: 'string', format: 'date-time' },
  isDateString: { type: 'string' },
  matches: ({ constraints }) => ({ type: 'string', ...patternOf(constraints[0] as RegExp | string) }),
};

/** By class-validator-jsonschema, which reads the rules that class-validator keeps. */
export class ValidatorClassSchemas implements ClassSchemas {
  schemaOf(messageClass: Type, refer: (nested: Type) => JsonSchema): JsonSchema {
    const nested = (rule: Metadata): JsonSchema => {
      const child = nestedClassOf(rule);
      const schema = child === undefined ? { type: 'object' } : refer(child);
      // `each` may stand at the rule or be understood: class-validator looks into arrays by itself.
      return !rule.each && isList(rule) ? { type: 'array', items: schema } : schema;
    };
    const converted = targetConstructorToSchema(messageClass, {
      classTransformerMetadataStorage: transformerStorage,
      additionalConverters: { ...CONVERTERS, [ValidationTypes.NESTED_VALIDATION]: nested } as never,
    });
    return completed(converted as unknown as JsonSchema, messageClass);
  }
}

/** Says which fields may be absent or null, and gives a type to what has only bounds. */
function completed(schema: JsonSchema, messageClass: Type): JsonSchema {
  const rules = rulesOf(messageClass);
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const ofField = rules.filter(({ propertyName }) => propertyName === name);
    const typed = withType(property);
    properties[name] = isNullable(ofField) ? orNull(typed) : typed;
    if (!mayBeAbsent(ofField)) required.push(name);
  }
  const { properties: _properties, required: _required, type: _type, ...rest } = schema;
  return { type: 'object', properties, ...(required.length > 0 && { required }), ...rest };
}

function rulesOf(messageClass: Type): Metadata[] {
  return getMetadataStorage().getTargetValidationMetadatas(messageClass, '', true, false);
}

/** `@Allow()` alone checks nothing; `@IsOptional()` and `@ValidateIf()` say themselves whether the field is looked at. */
function mayBeAbsent(rules: readonly Metadata[]): boolean {
  return rules.every(({ type }) => type === ValidationTypes.WHITELIST) || rules.some((rule) => skips(rule, undefined));
}

/** `@IsOptional()` lets null pass as absent, which no sender should rely on; `@ValidateIf()` that names null means it. */
function isNullable(rules: readonly Metadata[]): boolean {
  return rules.some((rule) => rule.name !== 'isOptional' && skips(rule, null));
}

function skips({ type, constraints, propertyName }: Metadata, value: unknown): boolean {
  if (type !== ValidationTypes.CONDITIONAL_VALIDATION) return false;
  const applies = constraints[0] as (object: object, value: unknown) => boolean;
  try {
    return !applies({ [propertyName]: value }, value);
  } catch {
    // It looks into other fields of the object, which are not there.
    return false;
  }
}

function withType(schema: JsonSchema): JsonSchema {
  if (schema.type !== undefined || schema.$ref !== undefined) return schema;
  const isNumber = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].some((bound) => bound in schema);
  return isNumber ? { ...schema, type: 'number' } : schema;
}

function orNull(schema: JsonSchema): JsonSchema {
  if (schema.type === undefined || schema.enum !== undefined) return { anyOf: [schema, { type: 'null' }] };
  return { ...schema, type: [schema.type, 'null'].flat() };
}

function valuesOf(values: readonly unknown[]): JsonSchema {
  const types = new Set(values.map((value) => typeof value));
  const [type = 'undefined'] = types;
  const isPlain = types.size === 1 && ['string', 'number', 'boolean'].includes(type);
  return { ...(isPlain && { type }), enum: values };
}

/** JSON Schema knows no flags: a pattern that needs some would say something else without them. */
function patternOf(pattern: RegExp | string): JsonSchema {
  if (typeof pattern === 'string') return { pattern };
  return pattern.flags.replace('u', '') === '' ? { pattern: pattern.source } : {};
}

/** For rules that the converter does not know, such as the application's own. */
function typeOfField(rule: Metadata): JsonSchema {
  if (rule.each) return {};
  const type = designTypeOf(rule);
  if (type === String) return { type: 'string' };
  if (type === Number) return { type: 'number' };
  if (type === Boolean) return { type: 'boolean' };
  return type === Array ? { type: 'array' } : {};
}

function nestedClassOf(rule: Metadata): Type | undefined {
  const declared = transformerStorage.findTypeMetadata(rule.target as Type, rule.propertyName)?.typeFunction();
  const child: unknown = declared ?? designTypeOf(rule);
  const isPlain = child === Object || child === Array || typeof child !== 'function';
  return isPlain ? undefined : (child as Type);
}

function isList(rule: Metadata): boolean {
  return designTypeOf(rule) === Array;
}

function designTypeOf({ target, propertyName }: Metadata): unknown {
  return Reflect.getMetadata('design:type', (target as Type).prototype as object, propertyName);
}

import { Injectable, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validate, type ValidationError } from 'class-validator';
import { reasonsOf } from '../../dispatch/validation/validation-reasons.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';

/** Most reasons in one response. */
const MAX_REASONS = 50;
const MAX_FIELD_LENGTH = 64;

type Reasons = Record<string, string[]>;

/**
 * Turns a body, a query or the parts of a path into an instance of the parameter's class, and refuses fields that the
 * class does not have. Classes of the API are flat; values are passed on unchanged, however deep.
 */
@Injectable()
export class ApiValidationPipe implements PipeTransform {
  async transform(value: unknown, { type, metatype }: ArgumentMetadata): Promise<unknown> {
    if (type === 'custom' || metatype === undefined || fieldsOf(metatype).size === 0) return value;
    const fields = value ?? {};
    if (typeof fields !== 'object' || Array.isArray(fields)) throw failure({ body: ['must be an object'] });
    refuseUnknown(fields, fieldsOf(metatype));
    const instance = type === 'body' ? fill(metatype, fields) : fromText(metatype, fields);
    const errors = await validate(instance);
    if (errors.length > 0) throw failure(detailsOf(errors));
    return instance;
  }
}

const known = new WeakMap<Type, ReadonlySet<string>>();

/** The decorated fields of a class. */
function fieldsOf(metatype: Type): ReadonlySet<string> {
  const present = known.get(metatype);
  if (present) return present;
  const metadata = getMetadataStorage().getTargetValidationMetadatas(metatype, '', false, false);
  const fields = new Set(metadata.map(({ propertyName }) => propertyName));
  known.set(metatype, fields);
  return fields;
}

function refuseUnknown(value: object, fields: ReadonlySet<string>): void {
  const unknown = Object.keys(value).filter((field) => !fields.has(field));
  if (unknown.length === 0) return;
  const named = unknown.slice(0, MAX_REASONS).map((field) => field.slice(0, MAX_FIELD_LENGTH));
  throw failure(Object.fromEntries(named.map((field) => [field, ['is not a field of this request']])));
}

/** Null counts as absent, except for `data`, which may be any value. */
function fill(metatype: Type, fields: object): object {
  const given = Object.entries(fields).filter(([field, value]) => value !== null || field === 'data');
  return Object.assign(new metatype() as object, Object.fromEntries(given));
}

/** Everything in a URL is text. The class converts numbers and booleans by @Type and @Transform. */
function fromText(metatype: Type, fields: object): object {
  try {
    return plainToInstance(metatype, fields) as object;
  } catch {
    // Values that make the library throw are the caller's mistake.
    throw failure({ query: ['has a value of the wrong type'] });
  }
}

function detailsOf(errors: readonly ValidationError[]): Reasons {
  const reasons = errors.map((error) => [error.property, reasonsOf(error)]);
  return Object.fromEntries(reasons.slice(0, MAX_REASONS)) as Reasons;
}

function failure(details: Reasons): GatehouseError {
  return new GatehouseError('VALIDATION_FAILED', { details });
}

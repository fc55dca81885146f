import { Injectable, type ArgumentMetadata, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validate, type ValidationError } from 'class-validator';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { checkOf } from './message-check.js';
import { isMessageClass } from './message-class.js';
import type { MessagePipe, PayloadTransform } from '../calls/message-pipe.js';
import { reasonsOf } from './validation-reasons.js';

/** Most reasons in a reply: an array of a million wrong items must not cause a large reply. */
const MAX_REASONS = 50;

/**
 * Validates payloads of message classes with class-validator decorators. The handler gets an instance without fields
 * that the class does not declare. Valid payloads pass a compiled check (bench/validation: a tenth of class-validator's
 * cost). In every other case class-validator decides.
 */
@Injectable()
export class MessageValidationPipe implements MessagePipe {
  transform(value: unknown, parameter: ArgumentMetadata): unknown {
    const transform = this.transformFor(parameter);
    return transform ? transform(value) : value;
  }

  transformFor({ type, metatype, data }: ArgumentMetadata): PayloadTransform | undefined {
    if (type !== 'body' || metatype === undefined || !isMessageClass(metatype)) return undefined;
    const check = checkOf(metatype);
    return (value) => {
      if (!isPlainObject(value)) throw failure({ [data ?? 'data']: ['must be an object'] });
      return check?.(value) ?? judge(metatype, value, data);
    };
  }
}

/**
 * The result of class-validator.
 *
 * @param parent the field of the payload that contains `value`, for the paths of reasons
 */
export async function judge(messageClass: Type, value: object, parent = ''): Promise<object> {
  const { instance, errors } = await examine(messageClass, value);
  if (errors.length > 0) throw failure(detailsOf(errors, parent));
  return instance;
}

async function examine(messageClass: Type, value: object): Promise<{ instance: object; errors: ValidationError[] }> {
  const instance = instanceOf(messageClass, value);
  try {
    return { instance, errors: await validate(instance, { whitelist: true }) };
  } catch (error) {
    if (isOfTheValue(error)) throw wrongKind();
    throw error;
  }
}

/**
 * class-transformer fails on a field named `constructor` and on decimals such as 1e-7, and a @Transform on a value of
 * another type. The client causes all of these, so they are an error for the client and not a logged fault.
 */
function instanceOf(messageClass: Type, value: object): object {
  try {
    return plainToInstance(messageClass, value) as object;
  } catch {
    throw wrongKind();
  }
}

/**
 * An error of JavaScript itself for a value of the wrong type. A rule of the application throws other errors on
 * purpose.
 */
function isOfTheValue(error: unknown): boolean {
  return [TypeError, RangeError, SyntaxError, URIError].some((kind) => error instanceof kind);
}

function wrongKind(): GatehouseError {
  return failure({ data: ['has a value of the wrong type'] });
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function failure(details: Record<string, readonly string[]>): GatehouseError {
  return new GatehouseError('VALIDATION_FAILED', { details });
}

/** Field path, such as `items.0.name`, → reasons. */
function detailsOf(errors: readonly ValidationError[], prefix: string): Record<string, string[]> {
  const details: Record<string, string[]> = {};
  let left = MAX_REASONS;
  const collect = (error: ValidationError, parent: string): void => {
    const path = parent === '' ? error.property : `${parent}.${error.property}`;
    const reasons = reasonsOf(error).slice(0, Math.max(0, left));
    left -= reasons.length;
    // What is wrong as a whole has no parts that could be right.
    if (reasons.length > 0) details[path] = reasons;
    else for (const child of left > 0 ? (error.children ?? []) : []) collect(child, path);
  };
  for (const error of errors) collect(error, prefix);
  return details;
}

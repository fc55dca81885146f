import type { Type } from '@nestjs/common';
import { defaultMetadataStorage as transformerStorage } from 'class-transformer/cjs/storage.js';

/**
 * Returns the value of a nested field as class-transformer and class-validator leave it: an instance, or a list of
 * instances. Undefined if class-validator must decide.
 */
export type NestedBuild = (value: unknown, payload: object) => object | undefined;

type Check = (payload: Readonly<Record<string, unknown>>) => object | undefined;

/**
 * @param checkOf the check of the class of its values; undefined if there is none
 * @returns undefined if class-validator must decide about all values of the field
 */
export function nestedIn(
  messageClass: Type,
  property: string,
  checkOf: (nestedClass: Type) => Check | undefined,
): NestedBuild | undefined {
  const { typeFunction, reflectedType, options } = transformerStorage.findTypeMetadata(messageClass, property) ?? {};
  if (typeFunction === undefined || reflectedType === Map || options?.discriminator !== undefined) return undefined;
  const isList = reflectedType === Array || reflectedType === Object || reflectedType === undefined;
  return (value, payload) => {
    const check = checkOf(typeFunction(new TypeHelp(payload, property)) as Type);
    if (check === undefined) return undefined;
    if (!Array.isArray(value)) return instanceOf(value, check);
    return isList ? listOf(value, check) : undefined;
  };
}

function listOf(items: readonly unknown[], check: Check): object[] | undefined {
  const list: object[] = [];
  for (const item of items) {
    const instance = instanceOf(item, check);
    if (instance === undefined) return undefined;
    list.push(instance);
  }
  return list;
}

function instanceOf(value: unknown, check: Check): object | undefined {
  const instance = isPlain(value) ? check(value) : undefined;
  if (instance === undefined) return undefined;
  // Rules of the object around it may see other fields before class-validator removes them.
  return Object.keys(value as object).every((key) => Object.hasOwn(instance, key)) ? instance : undefined;
}

/** What a function that names the type may look at. */
class TypeHelp {
  constructor(
    readonly object: object,
    readonly property: string,
  ) {}

  /** Which fields it has already depends on the order of those of the payload. */
  get newObject(): never {
    throw new Error('left to class-transformer');
  }
}

/** An object as a codec makes it, and not a date or bytes. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

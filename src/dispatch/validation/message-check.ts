import type { Type } from '@nestjs/common';
import { TransformationType } from 'class-transformer';
import { defaultMetadataStorage as transformerStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage, ValidationTypes, type ValidatorConstraintInterface } from 'class-validator';
import { nestedIn, type NestedBuild } from './nested-field.js';

/** Returns the instance if the payload is certainly valid; undefined if class-validator must decide. */
export type MessageCheck = (payload: Readonly<Record<string, unknown>>) => object | undefined;

type Metadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];
type Rule = (value: unknown, instance: object) => boolean;

interface Field {
  readonly name: string;
  readonly conditions: readonly Rule[];
  readonly rules: readonly Rule[];
  /** Set if its value is an object of another message class, or a list of these. */
  readonly nested: NestedBuild | undefined;
}

const checks = new WeakMap<Type, { readonly check: MessageCheck | undefined }>();

/** The check of a class, compiled once. */
export function checkOf(messageClass: Type): MessageCheck | undefined {
  const known = checks.get(messageClass);
  if (known) return known.check;
  const check = compileCheck(messageClass);
  checks.set(messageClass, { check });
  return check;
}

/**
 * Compiles a message class to one pass over its fields that calls class-validator's own constraint functions, without
 * the grouping, error objects and promises that cost more than the rest of the message path. It never decides
 * "invalid". Returns undefined if a class uses a feature that the pass does not support exactly: transformations,
 * discriminators, asynchronous constraints, accessors.
 */
export function compileCheck(messageClass: Type): MessageCheck | undefined {
  const fields = fieldsOf(messageClass);
  // class-validator refuses an object whose class has no rules.
  if (fields === undefined || fields.length === 0 || !isMirrored(messageClass, fields)) return undefined;

  return (payload) => {
    try {
      const instance = new messageClass() as Record<string, unknown>;
      for (const field of fields) if (!take(field, payload, instance)) return undefined;
      for (const field of fields) if (!isValid(field, instance)) return undefined;
      return instance;
    } catch {
      // class-validator reports a constraint that throws.
      return undefined;
    }
  };
}

/** Returns false if class-validator must decide. */
function take({ name, nested }: Field, payload: object, instance: Record<string, unknown>): boolean {
  const value = (payload as Record<string, unknown>)[name];
  // `in` costs more than reading the field, and only `undefined` leaves a doubt.
  if (value === undefined && !Object.hasOwn(payload, name)) return nested === undefined || instance[name] === undefined;
  const held = nested === undefined || isNothing(value) ? value : nested(value, payload);
  instance[name] = held;
  return held !== undefined || value === undefined;
}

function isValid({ name, conditions, rules, nested }: Field, instance: Record<string, unknown>): boolean {
  const value = instance[name];
  for (const applies of conditions) {
    // What is not looked at keeps fields that its class does not have.
    if (!applies(value, instance)) return nested === undefined || isNothing(value);
  }
  if (nested !== undefined && value === null) return false;
  for (const holds of rules) if (!holds(value, instance)) return false;
  return true;
}

function isNothing(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function fieldsOf(messageClass: Type): Field[] | undefined {
  const byName = new Map<string, { conditions: Rule[]; rules: Rule[]; nested: NestedBuild | undefined }>();
  for (const metadata of getMetadataStorage().getTargetValidationMetadatas(messageClass, '', false, false)) {
    if (metadata.validateIf !== undefined) return undefined;
    const field = byName.get(metadata.propertyName) ?? { conditions: [], rules: [], nested: undefined };
    byName.set(metadata.propertyName, field);
    if (metadata.type === ValidationTypes.CONDITIONAL_VALIDATION) {
      field.conditions.push(conditionOf(metadata));
    } else if (metadata.type === ValidationTypes.CUSTOM_VALIDATION || metadata.type === ValidationTypes.IS_DEFINED) {
      const rules = rulesOf(metadata, messageClass);
      if (rules === undefined) return undefined;
      field.rules.push(...rules);
    } else if (metadata.type === ValidationTypes.NESTED_VALIDATION) {
      field.nested = nestedIn(messageClass, metadata.propertyName, checkOf);
      if (field.nested === undefined) return undefined;
    } else if (metadata.type !== ValidationTypes.WHITELIST) {
      return undefined;
    }
  }
  return [...byName].map(([name, field]) => ({ name, ...field }));
}

function conditionOf(metadata: Metadata): Rule {
  const condition = metadata.constraints[0] as (object: object, value: unknown) => boolean;
  return (value, instance) => condition(instance, value);
}

function rulesOf(metadata: Metadata, messageClass: Type): Rule[] | undefined {
  const constraints = getMetadataStorage().getTargetValidatorConstraints(metadata.constraintCls);
  if (constraints.some(({ async }) => async)) return undefined;
  return constraints.map(({ instance }) => ruleOf(instance, metadata, messageClass));
}

function ruleOf(constraint: ValidatorConstraintInterface, metadata: Metadata, { name: targetName }: Type): Rule {
  const { constraints, propertyName: property, each } = metadata;
  // A promise is not `true`, so class-validator decides about asynchronous constraints.
  if (!each) {
    return (value, object) => constraint.validate(value, { value, constraints, object, property, targetName }) === true;
  }
  return (value, object) => {
    // A default of the class may be an object, which class-validator validates.
    if (value instanceof Set || value instanceof Map) return false;
    const items: unknown[] = Array.isArray(value) ? value : [value];
    const parameters = { value, constraints, object, property, targetName };
    return items.every((item) => constraint.validate(item, parameters) === true);
  };
}

function isMirrored(messageClass: Type, fields: readonly Field[]): boolean {
  if (transformerStorage.getStrategy(messageClass) !== 'none' || renamesFields(messageClass)) return false;
  const names = new Set(fields.map(({ name }) => name));
  for (const { name, nested } of fields) {
    if (name in messageClass.prototype || isTransformed(messageClass, name)) return false;
    if (nested === undefined && transformerStorage.findTypeMetadata(messageClass, name) !== undefined) return false;
  }
  // class-validator's whitelist would delete this field, which would cost time here for every message.
  // class-transformer does not overwrite a field that holds a function.
  return Object.entries(new messageClass() as object).every(
    ([key, value]) => names.has(key) && typeof value !== 'function',
  );
}

/** @Expose({ name }) may also be on a field without a rule, and take the value of one that has rules. */
function renamesFields(messageClass: Type): boolean {
  return transformerStorage.getExposedProperties(messageClass, TransformationType.PLAIN_TO_CLASS).length > 0;
}

function isTransformed(messageClass: Type, name: string): boolean {
  return (
    transformerStorage.findExposeMetadata(messageClass, name) !== undefined ||
    transformerStorage.findExcludeMetadata(messageClass, name) !== undefined ||
    transformerStorage.findTransformMetadatas(messageClass, name, TransformationType.PLAIN_TO_CLASS).length > 0
  );
}

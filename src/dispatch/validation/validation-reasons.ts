import { getMetadataStorage, type ValidationError } from 'class-validator';

/** Rules about the type of a value. If one of them fails, the others about the same value add nothing. */
const TYPE_RULES = ['isDefined', 'isString', 'isNumber', 'isInt', 'isBoolean', 'isArray', 'isObject', 'isDate'];

/**
 * The reasons for a field, one for each cause: a field that is missing, empty, or of another type, breaks several rules
 * at once.
 */
export function reasonsOf(error: ValidationError): string[] {
  const { value, constraints = {} } = error;
  const ofType = TYPE_RULES.find((rule) => constraints[rule] !== undefined);
  if (ofType !== undefined) return [String(constraints[ofType])];
  const reasons = Object.values(constraints);
  const isNothing = value === undefined || value === null || value === '';
  // Decorators run from the last to the first, so the last reason belongs to the first rule.
  return isNothing || isOfAnotherKind(error) ? reasons.slice(-1) : reasons;
}

/** Without a rule about the type, a value of another type breaks every rule of its field. */
function isOfAnotherKind({ target, property, constraints = {} }: ValidationError): boolean {
  if (target === undefined) return false;
  const storage = getMetadataStorage();
  return storage
    .getTargetValidationMetadatas(target.constructor, '', false, false)
    .filter(({ propertyName }) => propertyName === property)
    .flatMap(({ constraintCls }) => storage.getTargetValidatorConstraints(constraintCls))
    .every(({ name }) => name in constraints);
}

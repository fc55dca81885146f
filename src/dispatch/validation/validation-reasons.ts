import type { ValidationError } from 'class-validator';

/** Rules about the type of a value. If one of them fails, the others about the same value add nothing. */
const TYPE_RULES = ['isDefined', 'isString', 'isNumber', 'isInt', 'isBoolean', 'isArray', 'isObject', 'isDate'];

/**
 * The reasons for a field, one for each cause: a field that is missing, or of another type, breaks all its rules at
 * once.
 */
export function reasonsOf({ value, constraints = {} }: ValidationError): string[] {
  const ofType = TYPE_RULES.find(
    // A number that is not an integer has the right type.
    (rule) => constraints[rule] !== undefined && !(rule === 'isInt' && typeof value === 'number'),
  );
  if (ofType !== undefined) return [String(constraints[ofType])];
  const reasons = Object.values(constraints);
  // Decorators run from the last to the first, so the last reason belongs to the first rule.
  return value === undefined || value === null ? reasons.slice(-1) : reasons;
}

import type { ValidationError } from 'class-validator';

/** Rules about the type of a value. Where one of them is broken, the others about the same value say nothing new. */
const TYPE_RULES = ['isDefined', 'isString', 'isNumber', 'isInt', 'isBoolean', 'isArray', 'isObject', 'isDate'];

/** Why a field is refused, one reason a cause: a field that is missing, or of another type, breaks all its rules at once. */
export function reasonsOf({ value, constraints = {} }: ValidationError): string[] {
  const ofType = TYPE_RULES.find(
    // A number that is no integer is of the right type.
    (rule) => constraints[rule] !== undefined && !(rule === 'isInt' && typeof value === 'number'),
  );
  if (ofType !== undefined) return [String(constraints[ofType])];
  const reasons = Object.values(constraints);
  // Decorators run from the last to the first, so the last reason is that of the first rule.
  return value === undefined || value === null ? reasons.slice(-1) : reasons;
}

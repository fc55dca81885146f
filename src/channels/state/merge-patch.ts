/** JSON Merge Patch (RFC 7396): a field that is null is removed, objects are merged, everything else is replaced. */
type Fields = Readonly<Record<string, unknown>>;

/** The value after the patch. Neither is changed; what the patch does not touch is shared with the former value. */
export function merge(value: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(value) ? { ...value } : {};
  for (const field of Object.keys(patch)) {
    const part = patch[field];
    if (part === null) delete merged[field];
    else merged[field] = merge(Object.hasOwn(merged, field) ? merged[field] : undefined, part);
  }
  return merged;
}

/** The smallest patch that makes one value of the other. Undefined if they are equal. */
export function patchBetween(from: unknown, to: unknown): unknown {
  if (!isObject(from) || !isObject(to)) return isSame(from, to) ? undefined : to;
  const patch: Record<string, unknown> = {};
  for (const field of Object.keys(from)) if (!Object.hasOwn(to, field)) patch[field] = null;
  for (const field of Object.keys(to)) {
    const part = Object.hasOwn(from, field) ? patchBetween(from[field], to[field]) : to[field];
    if (part !== undefined) patch[field] = part;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return left === right;
  const fields = Object.keys(left);
  return (
    fields.length === Object.keys(right).length &&
    fields.every((field) => Object.hasOwn(right, field) && isSame(left[field], right[field]))
  );
}

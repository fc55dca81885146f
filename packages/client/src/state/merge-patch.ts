import { isObject } from '../incoming.js';

/** JSON Merge Patch (RFC 7396). Neither the value nor the patch is changed. */
export function merge(value: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(value) ? { ...value } : {};
  for (const field of Object.keys(patch)) {
    if (field === '__proto__') continue;
    if (patch[field] === null) delete merged[field];
    else merged[field] = merge(Object.hasOwn(merged, field) ? merged[field] : undefined, patch[field]);
  }
  return merged;
}

import { needsTranslation, translate, type LeafRules } from './outbound-value.js';

/** Infinity and NaN become null for every receiver, as in JSON. Otherwise each codec would write something else. */
const AS_IT_IS: LeafRules = {
  coversKeys: false,
  isForeign: isInfinite,
  translate: (leaf) => (isInfinite(leaf) ? null : leaf),
};
/** Levels that the deepest message puts around published data: `data.publications[n].data` of a recovery. */
const WRAPPING = 5;

/**
 * Prepares data that is kept and sent later by any codec. Refuses what no codec can write, and replaces objects by the
 * result of their `toJSON`. Costs about 20 ns for each field.
 *
 * @throws TypeError or RangeError
 */
export function sendable(value: unknown): unknown {
  return needsTranslation(value, AS_IT_IS, WRAPPING) ? translate(value, AS_IT_IS, WRAPPING) : value;
}

function isInfinite(leaf: unknown): boolean {
  return typeof leaf === 'number' && !Number.isFinite(leaf);
}

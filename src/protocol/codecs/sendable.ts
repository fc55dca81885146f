import { needsTranslation, translate, type LeafRules } from './outbound-value.js';

/** Infinity and NaN are null for every receiver, as in JSON: otherwise each codec would write something else. */
const AS_IT_IS: LeafRules = {
  coversKeys: false,
  isForeign: isInfinite,
  translate: (leaf) => (isInfinite(leaf) ? null : leaf),
};
/** Levels that the deepest message puts around published data: `data.publications[n].data` of a recovery. */
const WRAPPING = 5;

/**
 * What is to be kept and sent later, by whatever codec: refused now where no codec can write it, and with what `toJSON`
 * returns in place of what has one. Costs about 20 ns a field.
 *
 * @throws TypeError or RangeError
 */
export function sendable(value: unknown): unknown {
  return needsTranslation(value, AS_IT_IS, WRAPPING) ? translate(value, AS_IT_IS, WRAPPING) : value;
}

function isInfinite(leaf: unknown): boolean {
  return typeof leaf === 'number' && !Number.isFinite(leaf);
}

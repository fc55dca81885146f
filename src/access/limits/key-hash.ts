import { randomInt } from 'node:crypto';

/** Secret to this process, so that nobody can choose addresses that collide. */
const SEED = randomInt(2 ** 32);
const TWO_TO_21 = 2_097_152;

/** The last result, because the same key is often hashed several times in a row. */
let lastKey = '';
let lastHash = 0;

/**
 * A hash of 53 bits, never 0, so that collisions among a million keys are very unlikely. cyrb53, which is in the public
 * domain.
 */
export function hashOf(key: string): number {
  if (key === lastKey) return lastHash;
  let high = 0xdeadbeef ^ SEED;
  let low = 0x41c6ce57 ^ SEED;
  for (let index = 0; index < key.length; index += 1) {
    const code = key.charCodeAt(index);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  lastKey = key;
  lastHash = (low >>> 0) * TWO_TO_21 + (high >>> 11) || 1;
  return lastHash;
}

/**
 * The index of a hash among a power of two of places. The remainder of a 53-bit number would take longer than
 * everything else.
 */
export function placeAmong(places: number, hash: number): number {
  return (hash / TWO_TO_21) & (places - 1);
}

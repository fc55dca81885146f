import { randomInt } from 'node:crypto';

/** Secret to this process, so that nobody can choose addresses that meet in one place. */
const SEED = randomInt(2 ** 32);
const TWO_TO_21 = 2_097_152;

/** The last answer: one key is mostly asked for several times in a row. */
let lastKey = '';
let lastHash = 0;

/** 53 bits of a key, never 0: so many that two of a million keys are as good as never the same. cyrb53, which is public domain. */
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

/** Where a hash belongs among so many places, a power of two. (The remainder of a 53-bit number takes longer than all the rest.) */
export function placeAmong(places: number, hash: number): number {
  return (hash / TWO_TO_21) & (places - 1);
}

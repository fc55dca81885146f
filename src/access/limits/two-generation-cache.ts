import { hashOf, placeAmong } from './key-hash.js';

/** Bits of the sieve of one generation, 128 KiB. */
const SIEVE_BITS = 1_048_576;

/**
 * A map that forgets: in two generations, of which the older one goes as a whole where the younger one is full. Dropping the
 * oldest entry of a full Map one at a time takes 100 µs, for it walks over the holes that the ones before have left. What is
 * not in it, as most addresses are not, is mostly told without looking.
 */
export class TwoGenerationCache<Value> {
  private recent = new Generation<Value>();
  private older = new Generation<Value>();
  /** How many entries went because there were too many. */
  dropped = 0;

  /** @param maxSize entries of one generation: twice as many are kept at most */
  constructor(private readonly maxSize: number) {}

  get(key: string): Value | undefined {
    return this.recent.get(key) ?? this.older.get(key);
  }

  /** It is of the younger generation again. */
  set(key: string, value: Value): void {
    this.older.entries.delete(key);
    if (this.recent.entries.size >= this.maxSize && !this.recent.entries.has(key)) this.turn();
    this.recent.set(key, value);
  }

  delete(key: string): boolean {
    return this.recent.entries.delete(key) || this.older.entries.delete(key);
  }

  values(): readonly Value[] {
    return [...this.older.entries.values(), ...this.recent.entries.values()];
  }

  private turn(): void {
    this.dropped += this.older.entries.size;
    this.older = this.recent;
    this.recent = new Generation();
  }
}

class Generation<Value> {
  readonly entries = new Map<string, Value>();
  private readonly sieve = new Uint8Array(SIEVE_BITS / 8);

  get(key: string): Value | undefined {
    if (this.entries.size === 0) return undefined;
    const bit = placeAmong(SIEVE_BITS, hashOf(key));
    return (this.sieve[bit >> 3] ?? 0) & (1 << (bit & 7)) ? this.entries.get(key) : undefined;
  }

  set(key: string, value: Value): void {
    const bit = placeAmong(SIEVE_BITS, hashOf(key));
    this.sieve[bit >> 3] = (this.sieve[bit >> 3] ?? 0) | (1 << (bit & 7));
    this.entries.set(key, value);
  }
}

import { hashOf, placeAmong } from './key-hash.js';

/** Bits of the filter of one generation, 128 KiB. */
const SIEVE_BITS = 1_048_576;

/**
 * A map that forgets. It has two generations; when the younger one is full, the older one is dropped as a whole.
 * Dropping the oldest entry of a full Map takes 100 µs, because iteration skips the holes of earlier deletions. A
 * filter answers for most keys that are not in it.
 */
export class TwoGenerationCache<Value> {
  private recent = new Generation<Value>();
  private older = new Generation<Value>();
  /** Number of entries that were dropped because there were too many. */
  dropped = 0;

  /** @param maxSize entries of one generation; at most twice as many are kept */
  constructor(private readonly maxSize: number) {}

  get(key: string): Value | undefined {
    return this.recent.get(key) ?? this.older.get(key);
  }

  /** Moves it to the younger generation. */
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

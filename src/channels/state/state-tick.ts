import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import type { StateEntry } from '../../cluster/ports/state-store.js';
import type { Channel } from '../channel.js';
import type { StateAnswer, StateOrder } from './state-order.js';

/** An order that waits for its tick. */
export interface WaitingOrder {
  readonly order: StateOrder;
  readonly bytes: number;
  readonly resolve: (answer: StateAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Approximate bytes of one publication. A tick with more becomes several. At least one order is taken. */
const MAX_PUBLICATION_BYTES = 262_144;
/** Approximate bytes of values that one publication may change. At least one order is taken. */
const MAX_VALUE_BYTES_AT_ONCE = 67_108_864;
/** Keys whose last known entry is kept while a channel is busy. */
const MAX_KNOWN = 10_000;
/** Approximate bytes of these entries, of all channels of a node. */
export const MAX_KNOWN_BYTES = 67_108_864;

/** What is known of a key, and its approximate size. */
export interface KnownEntry {
  readonly key: string;
  /** Undefined: the key is absent. */
  readonly entry: StateEntry | undefined;
  readonly bytes: number;
}

/** Approximate bytes of the entries that are known on a node. */
export interface KnownBytes {
  total: number;
}

/** The orders about one channel that wait on this node, and the entries that the last ones left behind. */
export class StateTick {
  /** Undefined: nothing is known. */
  epoch: string | undefined;
  private readonly known = new Map<string, KnownEntry>();
  private knownBytes = 0;
  private waiting: WaitingOrder[] = [];

  /** @param ofNode is shared by the ticks of a node */
  constructor(
    readonly channel: Channel,
    private readonly ofNode: KnownBytes = { total: 0 },
  ) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  add(waiting: WaitingOrder): void {
    this.waiting.push(waiting);
  }

  /** Takes the oldest orders, as many as fit into one publication. */
  take(): readonly WaitingOrder[] {
    // Small patches may be of large values.
    const most = Math.max(1, MAX_VALUE_BYTES_AT_ONCE / (this.channel.namespace.state?.valueBytes ?? 1));
    let bytes = 0;
    let count = 0;
    while (count < Math.min(this.waiting.length, most) && (count === 0 || bytes < MAX_PUBLICATION_BYTES)) {
      bytes += this.waiting[count]?.bytes ?? 0;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  entry(key: string): StateEntry | undefined {
    return this.known.get(key)?.entry;
  }

  bytesOf(key: string): number {
    return this.known.get(key)?.bytes ?? 0;
  }

  /** The store has told what it has. */
  learn(epoch: string, entries: Iterable<KnownEntry>): void {
    if (epoch !== this.epoch) this.forget();
    this.epoch = epoch === '' ? undefined : epoch;
    for (const known of entries) {
      this.count(known.bytes - this.bytesOf(known.key));
      this.known.set(known.key, known);
    }
  }

  /** Nothing is known any more. */
  forget(): void {
    this.epoch = undefined;
    this.known.clear();
    this.count(-this.knownBytes);
  }

  /** Bounds what is known from one commit to the next. What is forgotten costs another question to the store. */
  tidy(): void {
    if (this.known.size > MAX_KNOWN || this.ofNode.total > MAX_KNOWN_BYTES) this.forget();
  }

  private count(bytes: number): void {
    this.knownBytes += bytes;
    this.ofNode.total += bytes;
  }
}

export function bytesOf({ key, patch }: StateOrder): number {
  return key.length + approximateBytes(patch);
}

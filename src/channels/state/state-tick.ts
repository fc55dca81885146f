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
/** Keys whose last known entry is kept while a channel is busy. */
const MAX_KNOWN = 10_000;

/** The orders about one channel that wait on this node, and the entries that the last ones left behind. */
export class StateTick {
  /** Undefined: nothing is known. */
  epoch: string | undefined;
  private readonly known = new Map<string, StateEntry | undefined>();
  private waiting: WaitingOrder[] = [];

  constructor(readonly channel: Channel) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  add(waiting: WaitingOrder): void {
    this.waiting.push(waiting);
  }

  /** Takes the oldest orders, as many as fit into one publication. */
  take(): readonly WaitingOrder[] {
    let bytes = 0;
    let count = 0;
    while (count < this.waiting.length && (count === 0 || bytes < MAX_PUBLICATION_BYTES)) {
      bytes += this.waiting[count]?.bytes ?? 0;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  entry(key: string): StateEntry | undefined {
    return this.known.get(key);
  }

  /** The store has told what it has. */
  learn(epoch: string, entries: Iterable<readonly [key: string, entry: StateEntry | undefined]>): void {
    if (epoch !== this.epoch) this.known.clear();
    this.epoch = epoch === '' ? undefined : epoch;
    for (const [key, entry] of entries) this.known.set(key, entry);
  }

  /** Nothing is known any more. */
  forget(): void {
    this.epoch = undefined;
    this.known.clear();
  }

  /** Bounds what is known between two ticks. */
  tidy(): void {
    if (this.known.size > MAX_KNOWN) this.forget();
  }
}

export function bytesOf({ key, patch }: StateOrder): number {
  return key.length + approximateBytes(patch);
}

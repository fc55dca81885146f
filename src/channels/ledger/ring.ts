import type { LedgerLimits } from '../../../config/namespaces.js';

/** Number of removed items at the front after which their room is released. */
const MANY = 1_024;

/** The newest items, as many and for as long as the limits allow. */
export class Ring<T extends object> {
  private items: (T | undefined)[] = [];
  /** Index of the oldest item. */
  private front = 0;
  /** Time of the newest removed item; 0 if none was removed. */
  private gone = 0;
  private weight = 0;

  /**
   * @param bornAt milliseconds since 1970; later items are not much older than those before them
   * @param weigh the room of an item in entries; must not change
   */
  constructor(
    private readonly limits: LedgerLimits,
    private readonly bornAt: (item: T) => number,
    private readonly weigh: (item: T) => number = () => 1,
  ) {}

  /** Sum of the weights. */
  get size(): number {
    this.forgetOld();
    return this.weight;
  }

  /** All items after this time, in milliseconds since 1970, are still there. */
  get completeSince(): number {
    this.forgetOld();
    return this.gone;
  }

  add(item: T): void {
    this.items.push(item);
    this.weight += this.weigh(item);
    while (this.weight > this.limits.size) this.forgetOldest();
    // It is new, so the clock need not be read.
    this.forgetOld(this.bornAt(item));
  }

  /** Newest first. */
  filter(isWanted: (item: T) => boolean): readonly T[] {
    this.forgetOld();
    const found: T[] = [];
    for (let index = this.items.length - 1; index >= this.front; index -= 1) {
      const item = this.items[index];
      if (item !== undefined && isWanted(item)) found.push(item);
    }
    return found;
  }

  private forgetOld(now = Date.now()): void {
    const until = now - this.limits.ageMs;
    for (;;) {
      const oldest = this.items[this.front];
      if (oldest === undefined || this.bornAt(oldest) >= until) return;
      this.forgetOldest();
    }
  }

  private forgetOldest(): void {
    const oldest = this.items[this.front];
    if (oldest === undefined) return;
    this.gone = Math.max(this.gone, this.bornAt(oldest));
    this.weight -= this.weigh(oldest);
    this.items[this.front] = undefined;
    this.front += 1;
    if (this.front < MANY || this.front < this.items.length / 2) return;
    this.items = this.items.slice(this.front);
    this.front = 0;
  }
}

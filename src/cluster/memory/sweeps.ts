/** How often the memory of a single node is tidied. */
export const SWEEP_MS = 10_000;

/** Something that a sweep may have to look at. */
export interface Swept {
  /** The number of the sweep that looks at it next. Undefined: none does. */
  sweepNumber: number | undefined;
}

/** Has each item looked at when its time has come. Until then, an idle item costs nothing. */
export class Sweeps<T extends Swept> {
  /** By the number of the sweep. */
  private readonly planned = new Map<number, Set<T>>();
  private readonly timer = setInterval(() => this.sweep(Date.now()), SWEEP_MS).unref();
  private count = 0;
  /** On the performance.now() clock, which does not jump. */
  private sweptAt = performance.now();

  constructor(private readonly look: (item: T, now: number) => void) {}

  /** The first sweep after `at` looks at the item, unless an earlier one does. In milliseconds since 1970. */
  plan(item: T, at: number): void {
    // None is earlier, or there is no end.
    if (item.sweepNumber === this.count + 1 || at === Infinity) return;
    const sinceSweep = at - Date.now() + performance.now() - this.sweptAt;
    const number = this.count + Math.max(1, Math.ceil(sinceSweep / SWEEP_MS));
    if (number >= (item.sweepNumber ?? Infinity)) return;
    this.forget(item);
    item.sweepNumber = number;
    const present = this.planned.get(number);
    if (present) present.add(item);
    else this.planned.set(number, new Set([item]));
  }

  /** No sweep looks at the item any more. */
  forget(item: T): void {
    const { sweepNumber } = item;
    if (sweepNumber === undefined) return;
    item.sweepNumber = undefined;
    const items = this.planned.get(sweepNumber);
    items?.delete(item);
    if (items?.size === 0) this.planned.delete(sweepNumber);
  }

  stop(): void {
    clearInterval(this.timer);
    this.planned.clear();
  }

  private sweep(now: number): void {
    this.count += 1;
    this.sweptAt = performance.now();
    for (const item of this.planned.get(this.count) ?? []) {
      this.forget(item);
      this.look(item, now);
    }
  }
}

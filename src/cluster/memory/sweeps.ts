/** How often the memory of a single node is tidied. */
export const SWEEP_MS = 10_000;

/** Something that a sweep may have to look at. */
export interface Swept {
  /** The number of the sweep that looks at it next. Undefined: none does. */
  sweepNumber: number | undefined;
}

/** Has each item looked at when its time has come. Until then, an idle item costs nothing. */
export class Sweeps<T extends Swept> {
  private readonly planned = new Map<number, T[]>();
  private readonly timer = setInterval(() => this.sweep(Date.now()), SWEEP_MS).unref();
  private count = 0;
  private sweptAt = Date.now();

  constructor(private readonly look: (item: T, now: number) => void) {}

  /** The first sweep after `at` looks at the item, unless an earlier one does. In milliseconds since 1970. */
  plan(item: T, at: number): void {
    const number = this.count + Math.max(1, Math.ceil((at - this.sweptAt) / SWEEP_MS));
    if (number === Infinity || number >= (item.sweepNumber ?? Infinity)) return;
    item.sweepNumber = number;
    const present = this.planned.get(number);
    if (present) present.push(item);
    else this.planned.set(number, [item]);
  }

  stop(): void {
    clearInterval(this.timer);
    this.planned.clear();
  }

  private sweep(now: number): void {
    this.count += 1;
    this.sweptAt = now;
    const items = this.planned.get(this.count) ?? [];
    this.planned.delete(this.count);
    for (const item of items) {
      // An earlier sweep has looked at it.
      if (item.sweepNumber !== this.count) continue;
      item.sweepNumber = undefined;
      this.look(item, now);
    }
  }
}

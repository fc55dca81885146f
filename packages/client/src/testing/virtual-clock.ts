import type { Clock } from '../environment.js';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Enough turns for promises that wait for promises. */
const TURNS = 12;
const MOST_AT_ONCE = 200_000;

/** Time that stands still until a test moves it. */
export class VirtualClock implements Clock {
  /** A heap: the next timer is the first. */
  private readonly timers: Timer[] = [];
  private readonly cancelled = new Set<unknown>();
  private time = 0;
  private count = 0;

  /** @param offset the time of day at the start, milliseconds since 1970 */
  constructor(private offset = Date.UTC(2026, 0, 1)) {}

  now(): number {
    return this.offset + this.time;
  }

  elapsed(): number {
    return this.time;
  }

  setTimeout(run: () => void, ms: number): Timer {
    this.count += 1;
    const timer = { at: this.time + Math.max(0, ms), order: this.count, run };
    this.push(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    if (timer !== undefined) this.cancelled.add(timer);
  }

  /** Timers that are set and not yet due: none may be left after `close()`. */
  get pending(): number {
    return this.timers.filter((timer) => !this.cancelled.has(timer)).length;
  }

  /** Moves on, and runs every timer that is due on the way, each followed by the promises that it settles. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settled();
    for (let next = this.timers[0]; next !== undefined && next.at <= end; next = this.timers[0]) {
      this.time = next.at;
      let runs = 0;
      for (; next !== undefined && next.at === this.time; next = this.timers[0]) {
        this.pop();
        runs += 1;
        if (runs > MOST_AT_ONCE) throw new Error('A timer sets itself again and again without a delay');
        if (!this.cancelled.delete(next)) next.run();
      }
      await settled();
    }
    this.time = end;
  }

  /** The time of day jumps, as when somebody sets the clock. Timers do not notice. */
  jump(ms: number): void {
    this.offset += ms;
  }

  private push(timer: Timer): void {
    const heap = this.timers;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(timer, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  private pop(): void {
    const heap = this.timers;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      if (right !== undefined && isBefore(right, left)) child += 1;
      const smaller = heap[child];
      if (smaller === undefined || !isBefore(smaller, last)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at === other.at ? one.order < other.order : one.at < other.at;
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
}

/** Random numbers that are the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lines are counted in periods of this length. */
const PERIOD_MS = 10_000;

/** What is bounded together. */
export interface BoundedKind {
  /** One of a fixed set, never text of a client. */
  readonly kind: string;
  /** What lines of one kind are told apart by, of a fixed set as well. */
  readonly of?: string | undefined;
}

interface Count {
  readonly bounded: BoundedKind;
  startedAt: number;
  written: number;
  leftOut: number;
  /** Set while something has been left out that is not told yet. */
  timer: NodeJS.Timeout | undefined;
}

/**
 * Bounds how often one kind of log line is written: an attacker must not be able to make us write without end. What is left out
 * is counted, and told when the period ends.
 */
export class BurstGuard {
  private readonly counts = new Map<string, Count>();
  private readonly totals = new Map<string, number>();

  /** @param tell that so many lines were left out in a period that has ended */
  constructor(private readonly tell: (bounded: BoundedKind, leftOut: number) => void) {}

  /** How many were left out so far, by kind. */
  get leftOut(): ReadonlyMap<string, number> {
    return this.totals;
  }

  /** Whether one more line may be written. @param limit lines a period; zero: no limit */
  allows(bounded: BoundedKind, limit: number): boolean {
    if (limit === 0) return true;
    const now = performance.now();
    const count = this.countOf(bounded, now);
    if (now - count.startedAt >= PERIOD_MS) {
      this.conclude(count);
      count.startedAt = now;
      count.written = 0;
    }
    if (count.written < limit) {
      count.written += 1;
      return true;
    }
    this.leaveOut(count, now);
    return false;
  }

  /** Tells what has not been told yet. */
  close(): void {
    for (const count of this.counts.values()) this.conclude(count);
  }

  private countOf(bounded: BoundedKind, now: number): Count {
    const key = bounded.of === undefined ? bounded.kind : `${bounded.kind} ${bounded.of}`;
    let count = this.counts.get(key);
    if (count === undefined) {
      count = { bounded, startedAt: now, written: 0, leftOut: 0, timer: undefined };
      this.counts.set(key, count);
    }
    return count;
  }

  private leaveOut(count: Count, now: number): void {
    const { kind } = count.bounded;
    this.totals.set(kind, (this.totals.get(kind) ?? 0) + 1);
    count.leftOut += 1;
    count.timer ??= setTimeout(() => this.conclude(count), count.startedAt + PERIOD_MS - now).unref();
  }

  private conclude(count: Count): void {
    clearTimeout(count.timer);
    count.timer = undefined;
    const { bounded, leftOut } = count;
    count.leftOut = 0;
    if (leftOut > 0) this.tell(bounded, leftOut);
  }
}

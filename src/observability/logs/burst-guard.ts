/** The length of a period in which lines are counted. */
const PERIOD_MS = 10_000;

/** The lines that share a limit. */
export interface BoundedKind {
  /** From a fixed set, never text of a client. */
  readonly kind: string;
  /** A value from a fixed set that separates lines of one kind. */
  readonly of?: string | undefined;
}

interface Count {
  readonly bounded: BoundedKind;
  startedAt: number;
  written: number;
  leftOut: number;
  /** Set while omitted lines have not been reported yet. */
  timer: NodeJS.Timeout | undefined;
}

/**
 * Limits how often a kind of log line is written, because an attacker must not be able to cause lines without end.
 * Omitted lines are counted and reported when the period ends.
 */
export class BurstGuard {
  private readonly counts = new Map<string, Count>();
  private readonly totals = new Map<string, number>();

  /** @param tell reports the number of lines that were omitted in a period */
  constructor(private readonly tell: (bounded: BoundedKind, leftOut: number) => void) {}

  /** Number of omitted lines so far, by kind. */
  get leftOut(): ReadonlyMap<string, number> {
    return this.totals;
  }

  /**
   * Whether another line may be written.
   *
   * @param limit lines in a period; 0 means no limit
   */
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

  /** Reports what has not been reported yet. */
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

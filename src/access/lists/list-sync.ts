/** Pause before a failed write to the store is tried again. */
export const RETRY_MS = 1_000;
/** How long messages of two nodes about the same entry may be in transit. */
const CONTEST_MS = 5_000;
/** How often the store is asked whether it has lost entries. */
export const WATCH_MS = 2_000;
/** One return of Redis causes several events within a moment. The store is read once for all of them. */
const SETTLE_MS = 50;

/**
 * Decides when the list of this node is compared with the store: when Redis is back, when the store has lost entries,
 * and when orders and lifts of several nodes may have crossed. Nodes get such messages in different orders, and only
 * the store tells which came last.
 */
export class ListSync {
  private liftedAt = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private watcher: NodeJS.Timeout | undefined;
  /** Runs one after the other. */
  private turn: Promise<void> = Promise.resolve();
  private isClosed = false;

  /** @param reconcile tried again later if it rejects */
  constructor(private readonly reconcile: () => Promise<void>) {}

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    clearInterval(this.watcher);
  }

  /** @param hasLost whether the store has another state than at the last read; asked until `close` */
  watch(hasLost: () => Promise<boolean>): void {
    this.watcher ??= setInterval(() => void this.look(hasLost), WATCH_MS).unref();
  }

  /** Resolves after the attempt. */
  now(): Promise<void> {
    this.turn = this.turn.then(() => this.reconcile()).catch(() => this.later());
    return this.turn;
  }

  soon(): void {
    this.in(SETTLE_MS);
  }

  later(): void {
    this.in(RETRY_MS);
  }

  /** An entry was lifted. Another node may have ordered the same at that moment. */
  lifted(): void {
    this.liftedAt = performance.now();
    this.soon();
  }

  /** Another node sent an order. It may be older than a lift that has arrived already. */
  heard(): void {
    if (performance.now() - this.liftedAt < CONTEST_MS) this.soon();
  }

  private async look(hasLost: () => Promise<boolean>): Promise<void> {
    try {
      if (await hasLost()) await this.now();
    } catch {
      // The store cannot be reached. Its return causes another read.
    }
  }

  private in(delayMs: number): void {
    if (this.isClosed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.now(), delayMs).unref();
  }
}

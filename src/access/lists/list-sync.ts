/** After which what did not reach the store is tried again. */
export const RETRY_MS = 1_000;
/** How long words of two nodes about the same may be on their way. */
const CONTEST_MS = 5_000;
/** How often the store is asked whether it has lost something. */
export const WATCH_MS = 2_000;
/** One return of Redis shows in several ways, a moment apart: the store is read once. */
const SETTLE_MS = 50;

/**
 * Says when the list of this node is to be brought together with the list of the store: when Redis is back, when the store has
 * lost something, and when orders and lifts of several nodes may have crossed. Each node has heard those in its own order, and
 * only the store tells which came last.
 */
export class ListSync {
  private liftedAt = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private watcher: NodeJS.Timeout | undefined;
  /** One after the other. */
  private turn: Promise<void> = Promise.resolve();
  private isClosed = false;

  /** @param reconcile tried again later where it rejects */
  constructor(private readonly reconcile: () => Promise<void>) {}

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    clearInterval(this.watcher);
  }

  /** @param hasLost whether the store holds another state than when it was last read; asked until `close` */
  watch(hasLost: () => Promise<boolean>): void {
    this.watcher ??= setInterval(() => void this.look(hasLost), WATCH_MS).unref();
  }

  /** Resolves when it has been tried. */
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

  /** Something was lifted. The same may have been ordered at that moment, elsewhere. */
  lifted(): void {
    this.liftedAt = performance.now();
    this.soon();
  }

  /** An order of another node was heard: it may be older than a lift that this one has heard of already. */
  heard(): void {
    if (performance.now() - this.liftedAt < CONTEST_MS) this.soon();
  }

  private async look(hasLost: () => Promise<boolean>): Promise<void> {
    try {
      if (await hasLost()) await this.now();
    } catch {
      // The store is away. Its return is a reason of its own to read it.
    }
  }

  private in(delayMs: number): void {
    if (this.isClosed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.now(), delayMs).unref();
  }
}

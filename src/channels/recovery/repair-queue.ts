/** A channel in which publications may be missing. */
export interface Doubtful {
  /** Resolves once what is missing was delivered or announced. */
  repair(): Promise<void>;
}

/** Repairs at one time. A broker that is back after an outage must not be asked for all channels at once. */
export const MAX_REPAIRS = 32;

/** The channels of a node in which publications may be missing. */
export class RepairQueue {
  private readonly waiting = new Set<Doubtful>();
  /** Channels that could not be repaired because the broker could not be reached. */
  private readonly failed = new Set<Doubtful>();
  private readonly running = new Set<Doubtful>();

  add(channel: Doubtful): void {
    this.waiting.add(channel);
    this.runMore();
  }

  /** How many repairs wait, run, and have failed. */
  get backlog(): { readonly waiting: number; readonly running: number; readonly failed: number } {
    return { waiting: this.waiting.size, running: this.running.size, failed: this.failed.size };
  }

  /** The channel is no longer needed. */
  forget(channel: Doubtful): void {
    for (const set of [this.waiting, this.running, this.failed]) set.delete(channel);
  }

  /** Tries the failed repairs again. */
  retry(): void {
    for (const channel of this.failed) this.waiting.add(channel);
    this.failed.clear();
    this.runMore();
  }

  private runMore(): void {
    for (const channel of this.waiting) {
      if (this.running.size >= MAX_REPAIRS) return;
      // New doubt at the end of a repair: the next repair begins after this one.
      if (this.running.has(channel)) continue;
      this.waiting.delete(channel);
      void this.run(channel);
    }
  }

  private async run(channel: Doubtful): Promise<void> {
    this.running.add(channel);
    try {
      await channel.repair();
    } catch {
      // The broker cannot be reached. The channel delivers nothing out of order meanwhile, and the repair is tried
      // again.
      if (this.running.has(channel)) this.failed.add(channel);
    }
    this.running.delete(channel);
    this.runMore();
  }
}

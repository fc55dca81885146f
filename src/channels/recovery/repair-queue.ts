import type { LocalChannel } from '../local-channel.js';

/** Repairs at one time: a broker that is back after an outage is not asked for all channels at once. */
export const MAX_REPAIRS = 32;

/** The channels of a node in which publications may be missing. */
export class RepairQueue {
  private readonly waiting = new Set<LocalChannel>();
  /** Those that could not be repaired, for the broker was away. */
  private readonly failed = new Set<LocalChannel>();
  private readonly running = new Set<LocalChannel>();

  add(channel: LocalChannel): void {
    this.waiting.add(channel);
    this.runMore();
  }

  /** How many wait, are being repaired, and could not be. */
  get backlog(): { readonly waiting: number; readonly running: number; readonly failed: number } {
    return { waiting: this.waiting.size, running: this.running.size, failed: this.failed.size };
  }

  /** Nobody needs the channel any more. */
  forget(channel: LocalChannel): void {
    for (const set of [this.waiting, this.running, this.failed]) set.delete(channel);
  }

  /** Tries again what has failed. */
  retry(): void {
    for (const channel of this.failed) this.waiting.add(channel);
    this.failed.clear();
    this.runMore();
  }

  private runMore(): void {
    for (const channel of this.waiting) {
      if (this.running.size >= MAX_REPAIRS) return;
      // Doubted again as its repair ends: the next one begins when this one is over.
      if (this.running.has(channel)) continue;
      this.waiting.delete(channel);
      void this.run(channel);
    }
  }

  private async run(channel: LocalChannel): Promise<void> {
    this.running.add(channel);
    try {
      await channel.repair();
    } catch {
      // The broker is away. The channel delivers nothing out of order meanwhile, and this is tried again.
      if (this.running.has(channel)) this.failed.add(channel);
    }
    this.running.delete(channel);
    this.runMore();
  }
}

import type { Published, PublishOptions } from '../ports/broker.js';

/** A publish that waits for its turn. */
export interface Outgoing {
  readonly body: Buffer;
  readonly options: PublishOptions;
  readonly resolve: (published: Published) => void;
  readonly reject: (error: Error) => void;
}

/** Publications in one command, and their bytes: none keeps Redis busy for long. */
const MAX_BATCH = 500;
const MAX_BATCH_BYTES = 1_048_576;

/**
 * What waits to be published in one channel. One batch is under way at a time: so a channel's publications keep their order,
 * and the busier Redis is, the more go in one command.
 */
export class Outbox {
  private waiting: Outgoing[] = [];
  isUnderWay = false;

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  add(outgoing: Outgoing): void {
    this.waiting.push(outgoing);
  }

  take(): readonly Outgoing[] {
    let count = 0;
    for (let bytes = 0; count < this.waiting.length && count < MAX_BATCH; count += 1) {
      bytes += this.waiting[count]?.body.length ?? 0;
      if (count > 0 && bytes > MAX_BATCH_BYTES) break;
    }
    if (count === this.waiting.length) {
      const all = this.waiting;
      this.waiting = [];
      return all;
    }
    return this.waiting.splice(0, count);
  }
}

import type { Published, PublishOptions } from '../ports/broker.js';

/** A publish that waits for its turn. */
export interface Outgoing {
  readonly body: Buffer;
  readonly options: PublishOptions;
  readonly resolve: (published: Published) => void;
  readonly reject: (error: Error) => void;
}

/** Most publications in one command, and most bytes, so that no command keeps Redis busy for long. */
const MAX_BATCH = 500;
const MAX_BATCH_BYTES = 1_048_576;

/**
 * Publications that wait for one channel. One batch is in progress at a time, so publications keep their order, and a
 * busy Redis gets larger batches instead of more commands.
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

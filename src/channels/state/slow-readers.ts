import { Injectable } from '@nestjs/common';

/** A subscription whose reader was too slow for each change. */
export interface SlowReader {
  /** Sends what is owed, if the reader keeps up again. Returns whether nothing is owed any more. */
  settle(): boolean;
}

/** The subscriptions of this node that are owed changes. */
@Injectable()
export class SlowReaders {
  private readonly owed = new Set<SlowReader>();

  add(reader: SlowReader): void {
    this.owed.add(reader);
  }

  /** Sends those that keep up again what they have not got. */
  settle(): void {
    for (const reader of this.owed) {
      if (reader.settle()) this.owed.delete(reader);
    }
  }
}

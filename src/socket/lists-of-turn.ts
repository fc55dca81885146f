import { batchFrames } from './batch-frames.js';
import type { Compression } from './compression.js';
import { holdTheSame } from './same-frames.js';

interface Made {
  readonly frames: readonly Buffer[];
  readonly compression: Compression | undefined;
  readonly lists: Buffer[];
}

/** Different lists that begin with one frame and are kept for other sockets. */
const MAX_OF_ONE = 8;
/** First frames. A slow reader that reads on adds one without a turn that forgets it. */
const MAX_FIRST = 1_024;

/**
 * The lists of messages that were made in this turn. Sockets that send the same messages share the lists, and one
 * compression, whatever other sockets send between them.
 */
export class ListsOfTurn {
  private readonly byFirst = new Map<Buffer | undefined, Made[]>();

  /** @param compression undefined: the socket takes nothing compressed */
  of(frames: readonly Buffer[], compression: Compression | undefined): Buffer[] {
    const candidates = this.candidates(frames[0]);
    const known = candidates.find((made) => made.compression === compression && holdTheSame(frames, made.frames));
    if (known !== undefined) return known.lists;
    const lists = batchFrames(frames, compression);
    if (candidates.length < MAX_OF_ONE) candidates.push({ frames, compression, lists });
    return lists;
  }

  clear(): void {
    if (this.byFirst.size > 0) this.byFirst.clear();
  }

  private candidates(first: Buffer | undefined): Made[] {
    const present = this.byFirst.get(first);
    if (present !== undefined) return present;
    if (this.byFirst.size >= MAX_FIRST) this.byFirst.clear();
    const made: Made[] = [];
    this.byFirst.set(first, made);
    return made;
  }
}

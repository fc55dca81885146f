import { MARKED_RUNS, type ChannelName, type OutboxMark } from '../ports/broker.js';

/** Beyond this number of edges and channels, the mark that was unused for longest is forgotten. */
const MAX_MARKS = 100_000;

export type Place = 'new' | 'repeat' | 'gap';

/** How far each edge node has published in each channel. As long as the process lives, as the histories do. */
export class MemoryMarks {
  /** For each edge and channel: run → seq, the oldest run first. The key that was unused for longest comes first. */
  private readonly marks = new Map<string, Map<string, number>>();

  /** Says what a publication is, and moves the mark if it is new. */
  pass(channel: ChannelName, { edge, run, seq, after }: OutboxMark): Place {
    // A control character, which no channel name contains.
    const key = `${channel}\0${edge}`;
    const runs = this.marks.get(key) ?? new Map<string, number>();
    const top = runs.get(run) ?? 0;
    if (seq <= top) return 'repeat';
    if (after > top) return 'gap';
    runs.delete(run);
    runs.set(run, seq);
    forgetOldest(runs, MARKED_RUNS);
    this.marks.delete(key);
    this.marks.set(key, runs);
    forgetOldest(this.marks, MAX_MARKS);
    return 'new';
  }
}

function forgetOldest(map: Map<string, unknown>, maxSize: number): void {
  for (const key of map.keys()) {
    if (map.size <= maxSize) return;
    map.delete(key);
  }
}

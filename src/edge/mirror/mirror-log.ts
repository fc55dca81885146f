import type { History, HistoryQuery, Position, Publication } from '../../cluster/ports/broker.js';

/** Epochs that a log continues. Beyond it, clients of older ones are told a gap. */
const MAX_CONTINUED = 16;

/** What this node has of a channel of the centre, with the centre's epoch and seqs. */
export class MirrorLog {
  /** Ascending. What is missing in between is lost. */
  readonly publications: Publication[];
  /** Bytes of the publications. */
  bytes: number;

  constructor(
    public epoch: string,
    public seq: number,
    /** The epochs before this one, each with its last seq here. */
    public continues: readonly Position[] = [],
    /** Whether the centre went back within its epoch: a client that is ahead then lost something. */
    readonly wentBack = false,
    publications: Publication[] = [],
  ) {
    this.publications = publications;
    this.bytes = bytesOf(publications);
  }

  get position(): Position {
    return { epoch: this.epoch, seq: this.seq };
  }

  /** @param publication one after the position */
  append(publication: Publication): void {
    this.publications.push(publication);
    this.bytes += publication.bytes;
    this.seq = publication.seq;
  }

  /** The channel stands here now. Of what was before it, nothing more will come. */
  moveTo({ epoch, seq }: Position, continuedAt: number): void {
    if (epoch !== this.epoch) {
      this.continues = [{ epoch: this.epoch, seq: continuedAt }, ...this.continues].slice(0, MAX_CONTINUED);
    }
    this.epoch = epoch;
    this.seq = seq;
  }

  history(query: HistoryQuery): History {
    const { afterSeq = 0, beforeSeq = Infinity, limit = Infinity, maxBytes = Infinity, reverse = false } = query;
    const found: Publication[] = [];
    const start = this.indexAfter(afterSeq);
    const end = this.indexAfter(beforeSeq - 1);
    for (let bytes = 0; found.length < Math.min(limit, end - start);) {
      const next = this.publications[reverse ? end - 1 - found.length : start + found.length];
      if (next === undefined) break;
      bytes += next.bytes;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(next);
    }
    const { position: top, continues } = this;
    return { top, publications: found, continues, mayTrail: !this.wentBack };
  }

  /** Keeps the newest ones that are not older. Returns the bytes that were removed. */
  trim({ size, ageMs }: { readonly size: number; readonly ageMs: number }, now: number): number {
    const { publications } = this;
    let excess = Math.max(0, publications.length - size);
    while ((publications[excess]?.ts ?? now) < now - ageMs) excess += 1;
    return this.drop(excess);
  }

  /** Removes the oldest ones. Returns their bytes. */
  drop(count: number): number {
    if (count === 0) return 0;
    const removed = bytesOf(this.publications.splice(0, count));
    this.bytes -= removed;
    return removed;
  }

  /** The place of the first publication after a seq. */
  indexAfter(seq: number): number {
    let [low, high] = [0, this.publications.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.publications[middle]?.seq ?? Infinity) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function bytesOf(publications: readonly Publication[]): number {
  return publications.reduce((sum, { bytes }) => sum + bytes, 0);
}

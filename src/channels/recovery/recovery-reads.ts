import type { ChannelName, History, Position } from '../../cluster/ports/broker.js';
import { isContinuedBy, knownSeq } from '../../cluster/ports/continuity.js';
import type { HistoryReader } from './history-reader.js';

/** What one reply may bring of what a client missed; what is older is a gap, to be filled by `history` requests. */
export const MAX_RECOVERY_BYTES = 4_194_304;

interface Read {
  afterSeq: number;
  readonly history: Promise<History>;
}

/**
 * What clients that come back ask of one channel's history. Those that ask while it is being read share the next read: a
 * thousand that come at one time cost two. One that was begun before somebody asked would not do, for what was published
 * between would be in neither.
 */
export class RecoveryReads {
  private running: Promise<unknown> = Promise.resolve();
  private next: Read | undefined;

  constructor(
    private readonly histories: HistoryReader,
    private readonly name: ChannelName,
  ) {}

  /** What is new to somebody at a position, the newest that fit in a reply; everything there is, where nothing relates the two. */
  async since(position: Position | undefined): Promise<History> {
    const history = await this.after(position?.seq ?? 0);
    if (position === undefined) return history;
    if (isContinuedBy(position, history)) return behind(history, position.seq);
    const read = await this.after(knownSeq(position, history) ?? 0);
    return behind(read, knownSeq(position, read) ?? 0);
  }

  /** All after a seq, and maybe what came before it. */
  private after(seq: number): Promise<History> {
    this.next ??= { afterSeq: seq, history: this.running.then(() => this.begin()) };
    this.next.afterSeq = Math.min(this.next.afterSeq, seq);
    return this.next.history;
  }

  private begin(): Promise<History> {
    const reading = this.read(this.next?.afterSeq ?? 0);
    this.next = undefined;
    // Whoever waits for the next one does not mind how this one ends.
    this.running = reading.catch(() => {});
    return reading;
  }

  private async read(afterSeq: number): Promise<History> {
    const query = { afterSeq, maxBytes: MAX_RECOVERY_BYTES, reverse: true };
    const history = await this.histories.history(this.name, query);
    return { ...history, publications: history.publications.toReversed() };
  }
}

/** It may have been read for others too. */
function behind(history: History, seq: number): History {
  return { ...history, publications: history.publications.filter((publication) => publication.seq > seq) };
}

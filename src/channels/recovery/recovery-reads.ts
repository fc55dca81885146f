import type { ChannelName, History, Position } from '../../cluster/ports/broker.js';
import { isContinuedBy, knownSeq } from '../../cluster/ports/continuity.js';
import type { HistoryReader } from './history-reader.js';

/** Bytes of missed publications in one reply. Older ones are a gap, which the client can fill by `history` requests. */
export const MAX_RECOVERY_BYTES = 4_194_304;

interface Read {
  afterSeq: number;
  readonly history: Promise<History>;
}

/**
 * Recoveries of clients in one channel. Those that ask during a read share the next read, so a thousand at the same
 * time cost two reads. They cannot share the current one, because it misses publications since its start.
 */
export class RecoveryReads {
  private running: Promise<unknown> = Promise.resolve();
  private next: Read | undefined;

  constructor(
    private readonly histories: HistoryReader,
    private readonly name: ChannelName,
  ) {}

  /**
   * The publications after a position, the newest that fit in a reply. Everything there is, if the epochs are
   * unrelated.
   */
  async since(position: Position | undefined): Promise<History> {
    const history = await this.after(position?.seq ?? 0);
    if (position === undefined) return history;
    if (isContinuedBy(position, history)) return behind(history, position.seq);
    const read = await this.after(knownSeq(position, history) ?? 0);
    return behind(read, knownSeq(position, read) ?? 0);
  }

  /** All publications after a seq, and possibly some before it. */
  private after(seq: number): Promise<History> {
    this.next ??= { afterSeq: seq, history: this.running.then(() => this.begin()) };
    this.next.afterSeq = Math.min(this.next.afterSeq, seq);
    return this.next.history;
  }

  private begin(): Promise<History> {
    const reading = this.read(this.next?.afterSeq ?? 0);
    this.next = undefined;
    // The next read does not depend on the result of this one.
    this.running = reading.catch(() => {});
    return reading;
  }

  private async read(afterSeq: number): Promise<History> {
    const query = { afterSeq, maxBytes: MAX_RECOVERY_BYTES, reverse: true };
    const history = await this.histories.history(this.name, query);
    return { ...history, publications: history.publications.toReversed() };
  }
}

/** The read may have served others too. */
function behind(history: History, seq: number): History {
  return { ...history, publications: history.publications.filter((publication) => publication.seq > seq) };
}

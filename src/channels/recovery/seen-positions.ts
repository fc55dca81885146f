import type { History, HistoryQuery, Position } from '../../cluster/ports/broker.js';
import { isContinuedBy, knownSeq } from '../../cluster/ports/continuity.js';

/** Epochs that are remembered. A server that comes back after more failovers counts as new. */
const MAX_EPOCHS = 16;
const NONE: readonly Position[] = [];

/**
 * The positions that a channel's subscribers on this node have seen in other epochs. A server that takes over may have
 * older data, and one that was given up may come back; publications must not be delivered twice then.
 */
export class SeenPositions {
  /** The epochs that the current epoch continues. */
  private continues: readonly Position[] = NONE;
  /** By epoch, up to which seq it was seen; the most recently left epoch is last. Most channels never leave one. */
  private seen: Map<string, number> | undefined;

  /** The position of the channel moved from one position to the top of a history. */
  moved(from: Position | undefined, { top, continues = NONE }: History): void {
    if (from?.epoch === top.epoch) return;
    this.continues = continues;
    if (from === undefined) return;
    this.seen ??= new Map();
    const seq = Math.max(from.seq, this.seen.get(from.epoch) ?? 0);
    this.seen.delete(from.epoch);
    this.seen.set(from.epoch, seq);
    const [oldest] = this.seen.keys();
    if (this.seen.size > MAX_EPOCHS && oldest !== undefined) this.seen.delete(oldest);
  }

  /** Positions that show the broker how far this node has come. */
  reached(position: Position | undefined): readonly Position[] {
    return position === undefined ? [] : [position, ...this.continues];
  }

  /** Reads everything that is new after a position, or after the last position that is still known. */
  async readNews(read: (query: HistoryQuery) => Promise<History>, position: Position | undefined): Promise<History> {
    const history = await read({ afterSeq: position?.seq, reached: this.reached(position) });
    return isContinuedBy(position, history) ? history : read({ afterSeq: this.knownIn(history, position) });
  }

  /** The seq up to which a history contains nothing new. Undefined if the epochs are unrelated. */
  knownIn(history: History, position: Position | undefined): number | undefined {
    const seen = [...(this.seen ?? [])].map(([epoch, seq]) => ({ epoch, seq }));
    const known = [...this.reached(position), ...seen].flatMap((place) => knownSeq(place, history) ?? []);
    return known.length === 0 ? undefined : Math.max(...known);
  }
}

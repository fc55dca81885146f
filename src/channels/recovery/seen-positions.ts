import type { History, Position } from '../../cluster/ports/broker.js';
import { knownSeq } from '../../cluster/ports/continuity.js';

/** Epochs that are remembered: a server that comes back after more failovers than that is met as if it was new. */
const MAX_EPOCHS = 16;

/**
 * What a channel's subscribers on this node have seen in other epochs than the present one. A server that takes over may hold an
 * older state, and one that was given up may come back: what they have seen there is not to be brought twice.
 */
export class SeenPositions {
  /** What the present epoch goes on from. */
  private continues: readonly Position[] = [];
  /** By epoch, up to which seq it was seen; the one that was left last is the last. */
  private readonly seen = new Map<string, number>();

  /** The channel stands at the top of a history now, and stood somewhere before. */
  moved(from: Position | undefined, { top, continues = [] }: History): void {
    if (from?.epoch === top.epoch) return;
    this.continues = continues;
    if (from === undefined) return;
    const seq = Math.max(from.seq, this.seen.get(from.epoch) ?? 0);
    this.seen.delete(from.epoch);
    this.seen.set(from.epoch, seq);
    const [oldest] = this.seen.keys();
    if (this.seen.size > MAX_EPOCHS && oldest !== undefined) this.seen.delete(oldest);
  }

  /** What proves to the broker how far this node has come. */
  reached(position: Position | undefined): readonly Position[] {
    return position === undefined ? [] : [position, ...this.continues];
  }

  /** Up to which seq a history brings nothing new; undefined where nothing relates the two. */
  knownIn(history: History, position: Position | undefined): number | undefined {
    const seen = [...this.seen].map(([epoch, seq]) => ({ epoch, seq }));
    const known = [...this.reached(position), ...seen].flatMap((place) => knownSeq(place, history) ?? []);
    return known.length === 0 ? undefined : Math.max(...known);
  }
}

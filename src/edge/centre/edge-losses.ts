import { EventEmitter } from 'node:events';
import type { AnnouncedLoss } from '../edge-protocol.js';
import type { Loss } from '../store/stream-counts.js';

/** Messages of an edge that this centre will never get. */
export interface LossOfEdge {
  readonly edge: string;
  readonly rule: string;
  readonly outcome: Loss;
  readonly messages: number;
}

/** Series that are remembered. Beyond it, one of an edge that was silent for long may count twice. */
const MAX_SERIES = 100_000;

/** Counts what edges say they have lost. An announcement whose answer was lost comes again, and counts once. */
export class EdgeLosses extends EventEmitter<{ lost: [loss: LossOfEdge] }> {
  /** For each edge, rule and outcome, the total that was counted. Those that were heard last are last. */
  private readonly counted = new Map<string, number>();

  announce(edge: string, losses: readonly AnnouncedLoss[]): void {
    for (const { rule, outcome, after, total } of losses) {
      // A rule has no control characters.
      const series = `${rule}\0${outcome}\0${edge}`;
      const known = this.counted.get(series) ?? 0;
      // A smaller total is that of another store.
      const messages = total - (known <= total ? Math.max(known, after) : after);
      this.counted.delete(series);
      this.counted.set(series, total);
      if (messages > 0) this.emit('lost', { edge, rule, outcome, messages });
    }
    for (const series of this.counted.keys()) {
      if (this.counted.size <= MAX_SERIES) return;
      this.counted.delete(series);
    }
  }
}

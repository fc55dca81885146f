import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Broker, ChannelName, History, HistoryQuery, Publication } from '../../cluster/ports/broker.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { ReadTurns } from '../../cluster/ports/read-turns.js';

/** Approximate bytes of one read. At least one publication is read. */
export const SLICE_BYTES = 65_536;
/** Slices that a node reads at one time: at most 1 MiB keeps Redis from serving others. */
const MAX_AT_ONCE = 16;
/** How often a history is read from the start if its epoch changes meanwhile. */
const MAX_ATTEMPTS = 3;

/**
 * Reads histories in slices. Between two slices everything else goes on: publications, messages of other sessions, and
 * slices of other readers. A session reads one history at a time, so sessions take turns.
 */
export class HistoryReader {
  private readonly turns = new ReadTurns(MAX_AT_ONCE);

  constructor(private readonly broker: Pick<Broker, 'history'>) {}

  /**
   * Like the broker's `history`. `top` is the position at the start of the read, and nothing newer is returned. A
   * publication that expired between two slices is missing.
   *
   * @throws GatehouseError SERVER_BUSY if the broker cannot be reached
   */
  async history(name: ChannelName, query: HistoryQuery): Promise<History> {
    if (query.limit === 0) return this.broker.history(name, query);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const history = await this.readOneLife(name, query);
      if (history !== undefined) return history;
    }
    throw new GatehouseError('SERVER_BUSY');
  }

  /** Undefined if the epoch changed meanwhile: slices of two epochs do not belong together. */
  private async readOneLife(name: ChannelName, query: HistoryQuery): Promise<History | undefined> {
    const first = await this.slice(name, query);
    const { top } = first;
    const reading = new Reading(query, first);
    for (let { rest } = reading; rest !== undefined; { rest } = reading) {
      await nextTurn();
      const slice = await this.slice(name, rest);
      if (slice.top.epoch !== top.epoch || slice.top.seq < top.seq) return undefined;
      reading.add(slice.publications);
    }
    return { ...first, publications: reading.publications };
  }

  private async slice(name: ChannelName, query: HistoryQuery): Promise<History> {
    const maxBytes = Math.min(query.maxBytes ?? Infinity, SLICE_BYTES);
    const slice = await this.turns.take(() => this.broker.history(name, { ...query, maxBytes }));
    const isEnd = slice.publications.length > 0 || slice.top.seq <= (query.afterSeq ?? 0);
    // Usually nothing is left. But a large malformed entry can fill a slice and hide what is behind it.
    return isEnd ? slice : this.turns.take(() => this.broker.history(name, query));
  }
}

/** The part of a history that has been read, and the part that is left. */
class Reading {
  readonly publications: Publication[] = [];
  private bytes = 0;
  private isOver = false;

  constructor(
    private readonly query: HistoryQuery,
    private readonly first: History,
  ) {
    this.add(first.publications);
  }

  /** A slice. An empty one is the end. */
  add(slice: readonly Publication[]): void {
    const { maxBytes = Infinity } = this.query;
    this.isOver ||= slice.length === 0;
    for (const publication of slice) {
      this.isOver ||= this.publications.length > 0 && this.bytes + publication.bytes > maxBytes;
      if (this.isOver) return;
      this.bytes += publication.bytes;
      this.publications.push(publication);
    }
  }

  /** Undefined if everything has been read. */
  get rest(): HistoryQuery | undefined {
    const { afterSeq = 0, limit, maxBytes, reverse = false } = this.query;
    const last = this.publications.at(-1)?.seq;
    const left = limit === undefined ? undefined : limit - this.publications.length;
    const room = maxBytes === undefined ? undefined : maxBytes - this.bytes;
    const isAtEnd = last === undefined || (reverse ? last <= afterSeq + 1 : last >= this.lastSeq);
    if (this.isOver || isAtEnd || left === 0 || (room ?? 1) <= 0) return undefined;
    const range = reverse ? { afterSeq, beforeSeq: last } : { afterSeq: last, beforeSeq: this.lastSeq + 1 };
    return { ...range, limit: left, maxBytes: room, reverse };
  }

  private get lastSeq(): number {
    return Math.min(this.first.top.seq, (this.query.beforeSeq ?? Infinity) - 1);
  }
}

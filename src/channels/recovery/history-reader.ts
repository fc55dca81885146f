import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Broker, ChannelName, History, HistoryQuery, Publication } from '../../cluster/ports/broker.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { ReadTurns } from '../read-turns.js';

/** What is read of a history in one go, about; one publication in any case. */
export const SLICE_BYTES = 65_536;
/** Slices that a node reads at one time: no more than 1 MiB keeps Redis from what others ask of it. */
const MAX_AT_ONCE = 16;
/** How often a history is read from the start because the channel goes from epoch to epoch meanwhile. */
const MAX_ATTEMPTS = 3;

/**
 * Reads histories in slices. Between two slices everything else goes on: publications, messages of other sessions, and the slices of
 * others who read. A session reads one history at a time, so sessions take turns.
 */
export class HistoryReader {
  private readonly turns = new ReadTurns(MAX_AT_ONCE);

  constructor(private readonly broker: Pick<Broker, 'history'>) {}

  /**
   * As the broker's: `top` is where the channel stood as the reading began, and nothing newer is brought. A seq that has become too
   * old between two slices is missing.
   *
   * @throws GatehouseError SERVER_BUSY when the broker cannot be reached
   */
  async history(name: ChannelName, query: HistoryQuery): Promise<History> {
    if (query.limit === 0) return this.broker.history(name, query);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const history = await this.readOneLife(name, query);
      if (history !== undefined) return history;
    }
    throw new GatehouseError('SERVER_BUSY');
  }

  /** Undefined where the channel began another life meanwhile: slices of two do not belong together. */
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
    // Nothing is left as a rule. But a large entry that cannot be read fills a slice, and hides what is behind it.
    return isEnd ? slice : this.turns.take(() => this.broker.history(name, query));
  }
}

/** What has been read of a history, and what is left to read. */
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

  /** A slice; an empty one is the end. */
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

  /** Undefined where everything that was asked for has been read. */
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

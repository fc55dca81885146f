import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type {
  Broker,
  BrokerListener,
  ChannelName,
  Draft,
  History,
  HistoryQuery,
  Position,
  Publication,
  Published,
  PublishOptions,
} from '../ports/broker.js';
import { newEpoch } from '../ports/epoch.js';
import { ExpiringMap } from '../ports/expiring-map.js';
import { approximateBytes } from '../ports/approximate-bytes.js';
import { append, countThatFits, drop, emptyLog, positionOf, trim, type Log } from './memory-log.js';
import { MemoryMarks } from './memory-marks.js';
import { Sweeps } from './sweeps.js';

/** How long an idempotency key is remembered, and at least how long the position of an idle channel is kept. */
export const MEMORY_MS = 300_000;
/** Beyond this number, the oldest idempotency keys are forgotten early. */
const MAX_IDEMPOTENCY_KEYS = 100_000;
/** Bytes of a publication beside its data, including its share of the channel. Measured: 300 to 900 bytes. */
const ROOM_OF_PUBLICATION = 400;

/** The broker of a single node. Everything stays in this process. */
export class MemoryBroker implements Broker {
  readonly checks = undefined;
  private readonly logs = new Map<ChannelName, Log>();
  private readonly subscribed = new Set<ChannelName>();
  /** Channels with state: their versions are seqs of their present epoch. */
  private readonly pinned = new Set<ChannelName>();
  private readonly repeats = new ExpiringMap<Published>(MEMORY_MS, MAX_IDEMPOTENCY_KEYS);
  private readonly marks = new MemoryMarks();
  private readonly sweeps = new Sweeps<Log>((log, now) => this.tidy(log, now));
  /** The epoch of all channels without a log. Clients can invent any number of names without using memory. */
  private freshEpoch = newEpoch();
  private readonly listeners: BrokerListener[] = [];
  private isClosed = false;
  /** Bytes of all histories. */
  private bytes = 0;

  /**
   * @param budgetBytes for all histories. Beyond it, the channels with the oldest last publication lose their
   *   history. 0 means no limit
   */
  constructor(private readonly budgetBytes = 0) {}

  /** The number of channels that take memory. */
  get size(): number {
    return this.logs.size;
  }

  listen(listener: BrokerListener): void {
    this.listeners.push(listener);
  }

  async publish(channel: ChannelName, draft: Draft, options: PublishOptions): Promise<Published> {
    return this.publishNow(channel, draft, options);
  }

  /** Whether this node is subscribed. */
  isSubscribed(channel: ChannelName): boolean {
    return this.subscribed.has(channel);
  }

  /** Keeps the position of a channel, until it is given back with `false`. */
  pin(channel: ChannelName, isPinned: boolean): void {
    if (isPinned) this.pinned.add(channel);
    else if (this.pinned.delete(channel)) this.tidySoon(channel);
  }

  positionOf(channel: ChannelName): Position {
    return positionOf(this.logs.get(channel) ?? { epoch: this.freshEpoch, seq: 0 });
  }

  /**
   * @param isTold false: it only enters the history
   * @throws GatehouseError SERVER_BUSY if the broker is closed, or what comes before it in an outbox is missing
   */
  publishNow(channel: ChannelName, draft: Draft, options: PublishOptions, isTold = true): Published {
    this.demandOpen();
    const { idempotencyKey, history, mark } = options;
    const place = mark === undefined ? 'new' : this.marks.pass(channel, mark);
    if (place === 'gap') throw new GatehouseError('SERVER_BUSY');
    if (place === 'repeat') return { position: history && this.positionOf(channel), isRepeat: true };
    // A control character, which no channel name contains, so two channels never share a key.
    const key = idempotencyKey === undefined ? undefined : `${channel}\0${idempotencyKey}`;
    const known = key === undefined ? undefined : this.repeats.get(key);
    if (known) return { ...known, isRepeat: true };

    const log = history && this.logOf(channel);
    const bytes = log ? ROOM_OF_PUBLICATION + approximateBytes(draft.data) : 0;
    const publication: Publication = { ...draft, ts: Date.now(), seq: log ? log.seq + 1 : 0, bytes };
    if (log) {
      this.bytes += append(log, publication, history);
      this.planFor(log, publication.ts);
      this.keepToBudget(channel, log);
    }
    const published = { position: log && positionOf(log), isRepeat: false };
    if (key !== undefined) this.repeats.set(key, published);
    if (isTold) this.carry(channel, publication, log?.epoch ?? '');
    return published;
  }

  /** Tells the subscribers. Of a cell, the history is that of its channel. */
  carry(channel: ChannelName, publication: Publication, epoch: string): void {
    if (!this.subscribed.has(channel)) return;
    for (const listener of this.listeners) listener.published(channel, publication, epoch);
  }

  async subscribe(channel: ChannelName): Promise<void> {
    this.demandOpen();
    this.subscribed.add(channel);
  }

  unsubscribe(channel: ChannelName): void {
    if (this.subscribed.delete(channel)) this.tidySoon(channel);
  }

  async history(channel: ChannelName, query: HistoryQuery): Promise<History> {
    const { afterSeq = 0, beforeSeq = Infinity, limit = Infinity, maxBytes = Infinity, reverse = false } = query;
    this.demandOpen();
    // A listener must find the same epoch that it began with.
    const log = this.subscribed.has(channel) ? this.logOf(channel) : this.logs.get(channel);
    if (log === undefined) return { top: { epoch: this.freshEpoch, seq: 0 }, publications: [] };
    const top = positionOf(log);
    if (limit === 0) return { top, publications: [] };
    this.bytes -= trim(log, Date.now());
    const first = log.publications[0]?.seq ?? 1;
    const start = Math.max(0, afterSeq - first + 1);
    const end = Math.min(log.publications.length, Math.max(start, beforeSeq - first));
    const count = countThatFits((index) => log.publications[reverse ? end - 1 - index : start + index], {
      limit: Math.min(limit, end - start),
      maxBytes,
    });
    if (!reverse) return { top, publications: log.publications.slice(start, start + count) };
    return { top, publications: log.publications.slice(end - count, end).toReversed() };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.sweeps.stop();
    this.logs.clear();
    this.subscribed.clear();
  }

  private demandOpen(): void {
    if (this.isClosed) throw new GatehouseError('SERVER_BUSY');
  }

  private logOf(channel: ChannelName): Log {
    const present = this.logs.get(channel);
    if (present) return present;
    const log = emptyLog(channel, this.freshEpoch);
    this.logs.set(channel, log);
    return log;
  }

  /** After a publication. One that is full is trimmed soon, and others when their oldest publication is too old. */
  private planFor(log: Log, now: number): void {
    const { publications, limits } = log;
    if (publications.length > limits.size) this.sweeps.plan(log, now);
    else if (publications.length <= 1) this.sweeps.plan(log, now + limits.ageMs);
  }

  /** It is not needed any more, or not by everybody. */
  private tidySoon(channel: ChannelName): void {
    const log = this.logs.get(channel);
    if (log) this.sweeps.plan(log, Date.now());
  }

  /** Forgets old publications, and the channel if it has none left and nobody needs its position. */
  private tidy(log: Log, now: number): void {
    const { channel, publications, limits, seq } = log;
    this.bytes -= trim(log, now);
    const [oldest] = publications;
    if (oldest) return this.sweeps.plan(log, oldest.ts + limits.ageMs);
    if (this.subscribed.has(channel) || this.pinned.has(channel)) return;
    if (now < endOfPosition(log)) return this.sweeps.plan(log, endOfPosition(log));
    this.logs.delete(channel);
    // A channel that comes back must not count from 1 again within an epoch.
    if (seq > 0) this.freshEpoch = newEpoch();
  }

  /** Moves the channel to the end of the order, so that the first one is the idlest. */
  private keepToBudget(channel: ChannelName, log: Log): void {
    if (this.budgetBytes === 0) return;
    this.logs.delete(channel);
    this.logs.set(channel, log);
    if (this.bytes <= this.budgetBytes) return;
    for (const idlest of this.logs.values()) {
      while (this.bytes > this.budgetBytes && idlest.publications.length > 0)
        this.bytes -= drop(idlest, idlest === log ? 1 : Infinity);
      if (idlest.publications.length === 0) this.sweeps.plan(idlest, endOfPosition(idlest));
      if (this.bytes <= this.budgetBytes) return;
    }
  }
}

/** Until when the position of an empty channel is kept though nobody needs it. */
function endOfPosition({ publishedAt = 0 }: Log): number {
  return publishedAt + MEMORY_MS;
}

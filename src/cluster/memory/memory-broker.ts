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
import { MemoryMarks } from './memory-marks.js';

/** How long an idempotency key is remembered, and at least how long the position of an idle channel is kept. */
export const MEMORY_MS = 300_000;
/** Beyond this number, the oldest idempotency keys are forgotten early. */
const MAX_IDEMPOTENCY_KEYS = 100_000;
/** How often unused channels are forgotten. */
export const SWEEP_MS = 10_000;

/** Bytes of a publication beside its data, including its share of the channel. Measured: 300 to 900 bytes. */
const ROOM_OF_PUBLICATION = 400;

type Limits = NonNullable<PublishOptions['history']>;

interface Log {
  readonly epoch: string;
  seq: number;
  /** Consecutive and ascending. May hold more than the limits allow until it is trimmed. */
  readonly publications: Publication[];
  limits: Limits;
  touchedAt: number;
}

/** The broker of a single node. Everything stays in this process. */
export class MemoryBroker implements Broker {
  readonly checkEveryMs = undefined;
  private readonly logs = new Map<ChannelName, Log>();
  private readonly subscribed = new Set<ChannelName>();
  /** Channels with state: their versions are seqs of their present epoch. */
  private readonly pinned = new Set<ChannelName>();
  private readonly repeats = new ExpiringMap<Published>(MEMORY_MS, MAX_IDEMPOTENCY_KEYS);
  private readonly marks = new MemoryMarks();
  private readonly sweeper = setInterval(() => this.sweep(Date.now()), SWEEP_MS).unref();
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
    else this.pinned.delete(channel);
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
    this.subscribed.delete(channel);
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
    clearInterval(this.sweeper);
    this.logs.clear();
    this.subscribed.clear();
  }

  private demandOpen(): void {
    if (this.isClosed) throw new GatehouseError('SERVER_BUSY');
  }

  private logOf(channel: ChannelName): Log {
    const present = this.logs.get(channel);
    if (present) return present;
    const limits = { size: 0, ageMs: 0 };
    const log: Log = { epoch: this.freshEpoch, seq: 0, publications: [], limits, touchedAt: Date.now() };
    this.logs.set(channel, log);
    return log;
  }

  /** Forgets channels without listeners and content, and old publications of the others. */
  private sweep(now: number): void {
    let hasLostPositions = false;
    for (const [channel, log] of this.logs) {
      this.bytes -= trim(log, now);
      if (log.publications.length > 0 || this.subscribed.has(channel) || this.pinned.has(channel)) continue;
      if (log.seq > 0 && now - log.touchedAt < MEMORY_MS) continue;
      this.logs.delete(channel);
      hasLostPositions ||= log.seq > 0;
    }
    // A channel that comes back must not count from 1 again within an epoch.
    if (hasLostPositions) this.freshEpoch = newEpoch();
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
      if (this.bytes <= this.budgetBytes) return;
    }
  }
}

function positionOf({ epoch, seq }: Pick<Log, 'epoch' | 'seq'>): Position {
  return { epoch, seq };
}

/** Returns the number of bytes that were added. */
function append(log: Log, publication: Publication, limits: Limits): number {
  log.seq = publication.seq;
  log.limits = limits;
  log.touchedAt = publication.ts;
  log.publications.push(publication);
  // Trimmed in steps: removing one from the front at each publish would move the whole array each time.
  const trimmed = log.publications.length >= limits.size * 2 ? trim(log, publication.ts) : 0;
  return publication.bytes - trimmed;
}

/** Keeps the newest `size` publications that are not older than `ageMs`. Returns the bytes that were removed. */
function trim(log: Log, now: number): number {
  const { publications, limits } = log;
  let excess = Math.max(0, publications.length - limits.size);
  while ((publications[excess]?.ts ?? now) < now - limits.ageMs) excess += 1;
  return drop(log, excess);
}

/** Removes the oldest publications. Returns their bytes. */
function drop({ publications }: Log, count: number): number {
  if (count === 0) return 0;
  return publications.splice(0, count).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** How many of the requested publications fit. At least one, if any was requested. */
function countThatFits(
  at: (index: number) => Publication | undefined,
  { limit, maxBytes }: { readonly limit: number; readonly maxBytes: number },
): number {
  let count = 0;
  for (let bytes = 0; count < limit; count += 1) {
    bytes += at(count)?.bytes ?? 0;
    if (count > 0 && bytes > maxBytes) break;
  }
  return count;
}

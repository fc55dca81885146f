import { GatehouseError } from '../protocol/gatehouse-error.js';
import type {
  Broker,
  BrokerListener,
  ChannelName,
  Draft,
  History,
  HistoryQuery,
  Publication,
  Published,
  PublishOptions,
} from './broker.js';
import { newEpoch } from './epoch.js';
import { ExpiringMap } from './expiring-map.js';

/** How long an idempotency key is remembered, and at least how long the position of an idle channel is. */
export const MEMORY_MS = 300_000;
/** Beyond this many idempotency keys the oldest are forgotten early. */
const MAX_IDEMPOTENCY_KEYS = 100_000;
/** How often channels are looked for that can be forgotten. */
export const SWEEP_MS = 10_000;

type Limits = NonNullable<PublishOptions['history']>;

interface Log {
  readonly epoch: string;
  seq: number;
  /** Consecutive and ascending; may hold more than the limits allow until it is trimmed. */
  readonly publications: Publication[];
  limits: Limits;
  touchedAt: number;
}

/** The broker of a single node: everything stays in this process. */
export class MemoryBroker implements Broker {
  readonly checkEveryMs = undefined;
  private readonly logs = new Map<ChannelName, Log>();
  private readonly subscribed = new Set<ChannelName>();
  private readonly repeats = new ExpiringMap<Published>(MEMORY_MS, MAX_IDEMPOTENCY_KEYS);
  private readonly sweeper = setInterval(() => this.sweep(Date.now()), SWEEP_MS).unref();
  /** The epoch of every channel that has no log: so asking for one costs nothing, whatever names a client makes up. */
  private freshEpoch = newEpoch();
  private readonly listeners: BrokerListener[] = [];
  private isClosed = false;

  /** How many channels take memory. */
  get size(): number {
    return this.logs.size;
  }

  listen(listener: BrokerListener): void {
    this.listeners.push(listener);
  }

  async publish(channel: ChannelName, draft: Draft, options: PublishOptions): Promise<Published> {
    this.demandOpen();
    const { idempotencyKey, history } = options;
    // A control character, which no channel name has: two channels never share a key.
    const key = idempotencyKey === undefined ? undefined : `${channel}\0${idempotencyKey}`;
    const known = key === undefined ? undefined : this.repeats.get(key);
    if (known) return { ...known, isRepeat: true };

    const log = history && this.logOf(channel);
    const publication: Publication = { ...draft, ts: Date.now(), seq: log ? log.seq + 1 : 0 };
    if (log) append(log, publication, history);
    const published = { position: log && positionOf(log), isRepeat: false };
    if (key !== undefined) this.repeats.set(key, published);
    if (this.subscribed.has(channel)) {
      for (const listener of this.listeners) listener.published(channel, publication, log?.epoch ?? '');
    }
    return published;
  }

  async subscribe(channel: ChannelName): Promise<void> {
    this.demandOpen();
    this.subscribed.add(channel);
  }

  unsubscribe(channel: ChannelName): void {
    this.subscribed.delete(channel);
  }

  async history(channel: ChannelName, { afterSeq = 0, limit, reverse = false }: HistoryQuery): Promise<History> {
    this.demandOpen();
    // Whoever listens must find the epoch again under which it began to.
    const log = this.subscribed.has(channel) ? this.logOf(channel) : this.logs.get(channel);
    if (log === undefined) return { top: { epoch: this.freshEpoch, seq: 0 }, publications: [] };
    const top = positionOf(log);
    if (limit === 0) return { top, publications: [] };
    trim(log, Date.now());
    const first = log.publications[0]?.seq ?? 1;
    const wanted = log.publications.slice(Math.max(0, afterSeq - first + 1));
    if (reverse) wanted.reverse();
    return { top, publications: limit === undefined ? wanted : wanted.slice(0, limit) };
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

  /** Forgets the channels that nobody listens to and that hold nothing, and what is too old of the others. */
  private sweep(now: number): void {
    let hasLostPositions = false;
    for (const [channel, log] of this.logs) {
      trim(log, now);
      if (log.publications.length > 0 || this.subscribed.has(channel)) continue;
      if (log.seq > 0 && now - log.touchedAt < MEMORY_MS) continue;
      this.logs.delete(channel);
      hasLostPositions ||= log.seq > 0;
    }
    // A channel that comes back must not count from 1 again in an epoch in which it has done so before.
    if (hasLostPositions) this.freshEpoch = newEpoch();
  }
}

function positionOf({ epoch, seq }: Log) {
  return { epoch, seq };
}

function append(log: Log, publication: Publication, limits: Limits): void {
  log.seq = publication.seq;
  log.limits = limits;
  log.touchedAt = publication.ts;
  log.publications.push(publication);
  // Trimmed in steps: removing one from the front at each publish would move the whole array each time.
  if (log.publications.length >= limits.size * 2) trim(log, publication.ts);
}

/** Leaves what the channel's limits allow: the newest `size`, none older than `ageMs`. */
function trim({ publications, limits: { size, ageMs } }: Log, now: number): void {
  let excess = Math.max(0, publications.length - size);
  while ((publications[excess]?.ts ?? now) < now - ageMs) excess += 1;
  if (excess > 0) publications.splice(0, excess);
}

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

/** How long an idempotency key is remembered. */
export const IDEMPOTENCY_WINDOW_MS = 300_000;
/** Beyond this many the oldest are forgotten early. */
const MAX_IDEMPOTENCY_KEYS = 100_000;
/** Channels that are idle and whose publications have all expired are looked for this often. */
const SWEEP_MS = 10_000;

interface Log {
  readonly epoch: string;
  seq: number;
  publications: Publication[];
  size: number;
  ageMs: number;
  touchedAt: number;
}

/** The broker of a single node: everything stays in this process. */
export class MemoryBroker implements Broker {
  private readonly logs = new Map<ChannelName, Log>();
  private readonly subscribed = new Set<ChannelName>();
  private readonly repeats = new ExpiringMap<Published>(IDEMPOTENCY_WINDOW_MS, MAX_IDEMPOTENCY_KEYS);
  private readonly sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  private listener: BrokerListener | undefined;

  listen(listener: BrokerListener): void {
    this.listener = listener;
  }

  publish(channel: ChannelName, draft: Draft, options: PublishOptions): Promise<Published> {
    const { idempotencyKey, history } = options;
    const key = idempotencyKey === undefined ? undefined : `${channel} ${idempotencyKey}`;
    const known = key === undefined ? undefined : this.repeats.get(key);
    if (known) return Promise.resolve({ ...known, isRepeat: true });

    const log = history && this.append(channel, draft, history);
    const position = log && { epoch: log.epoch, seq: log.seq };
    const publication = log?.publications.at(-1) ?? { ...draft, ts: Date.now(), seq: 0 };
    const published: Published = { position, isRepeat: false };
    if (key !== undefined) this.repeats.set(key, published);
    if (this.subscribed.has(channel)) this.listener?.published(channel, publication, position?.epoch ?? '');
    return Promise.resolve(published);
  }

  subscribe(channel: ChannelName): Promise<void> {
    this.subscribed.add(channel);
    return Promise.resolve();
  }

  unsubscribe(channel: ChannelName): void {
    this.subscribed.delete(channel);
  }

  history(channel: ChannelName, { afterSeq = 0, limit, reverse = false }: HistoryQuery): Promise<History> {
    const log = this.logOf(channel);
    dropOld(log);
    const wanted = log.publications.filter(({ seq }) => seq > afterSeq);
    if (reverse) wanted.reverse();
    const top = { epoch: log.epoch, seq: log.seq };
    return Promise.resolve({ top, publications: limit === undefined ? wanted : wanted.slice(0, limit) });
  }

  close(): Promise<void> {
    clearInterval(this.sweeper);
    return Promise.resolve();
  }

  private append(channel: ChannelName, draft: Draft, { size, ageMs }: NonNullable<PublishOptions['history']>): Log {
    const log = this.logOf(channel);
    log.seq += 1;
    log.size = size;
    log.ageMs = ageMs;
    log.touchedAt = Date.now();
    log.publications.push({ ...draft, ts: log.touchedAt, seq: log.seq });
    // Cut in steps: removing one from the front at each publish would move the whole array each time.
    if (log.publications.length >= size * 2) dropOld(log);
    return log;
  }

  private logOf(channel: ChannelName): Log {
    const present = this.logs.get(channel);
    if (present) return present;
    const log: Log = { epoch: newEpoch(), seq: 0, publications: [], size: 0, ageMs: 0, touchedAt: Date.now() };
    this.logs.set(channel, log);
    return log;
  }

  /** A channel that nobody listens to and that holds nothing is forgotten; whoever comes back finds a new epoch. */
  private sweep(): void {
    const now = Date.now();
    for (const [channel, log] of this.logs) {
      dropOld(log);
      if (log.publications.length > 0 || this.subscribed.has(channel)) continue;
      if (now - log.touchedAt > Math.max(log.ageMs, IDEMPOTENCY_WINDOW_MS)) this.logs.delete(channel);
    }
  }
}

/** Leaves what the channel's limits allow: the newest `size`, none older than `ageMs`. */
function dropOld(log: Log): void {
  const oldest = Date.now() - log.ageMs;
  const kept = log.publications.slice(-log.size);
  const firstFresh = kept.findIndex(({ ts }) => ts >= oldest);
  log.publications = firstFresh === -1 ? [] : kept.slice(firstFresh);
}

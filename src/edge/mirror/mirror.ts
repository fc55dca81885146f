import { parseChannelName } from '@gatehouse/protocol';
import { matcherOf } from '../../../config/hooks.js';
import type { HistoryLimits, Namespaces } from '../../../config/namespaces.js';
import { ReadTurns } from '../../cluster/ports/read-turns.js';
import type {
  BrokerListener,
  ChannelName,
  History,
  HistoryQuery,
  Position,
  Publication,
} from '../../cluster/ports/broker.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { EdgeEvents, MirrorOutcome } from '../edge-events.js';
import type { UpstreamPush } from '../link/client-library.js';
import type { Upstream, UpstreamListener } from '../link/upstream.js';
import { KnownChannels } from './known-channels.js';
import type { MirrorLog } from './mirror-log.js';
import type { MirrorStore } from './mirror-store.js';
import { MirroredChannel, type MirrorHost } from './mirrored-channel.js';

export interface MirrorParts {
  /** Channels to mirror. `*` stands for any text. */
  readonly patterns: readonly string[];
  readonly namespaces: Namespaces;
  /** For the histories of all mirrored channels. 0: no limit. */
  readonly budgetBytes: number;
  readonly upstream: Upstream;
  readonly store: MirrorStore;
  readonly events: EdgeEvents;
}

/** Subscribes that are under way to the centre at one time: each answer may have megabytes. */
const MAX_ASKING = 8;
const ANSWER_MS = 15_000;
/** How long a subscribe here waits for the centre, before the mirrored history has to do. */
const MAX_WAIT_MS = 5_000;
/** How long the centre is still followed when nobody here reads a channel any more. */
const LINGER_MS = 10_000;
const SWEEP_MS = 5_000;
const RETRY_AFTER_MS = 1_000;
const NO_LIMITS: HistoryLimits = { size: 0, ageMs: 0 };

/** Channels of the centre for the clients of this node. */
export class Mirror implements MirrorHost, UpstreamListener {
  private readonly channels: KnownChannels;
  /** Channels with subscribers here, and those that the file names. */
  private readonly wanted = new Set<ChannelName>();
  /** Until when the others are followed, soonest first. */
  private readonly lingering = new Map<ChannelName, number>();
  private readonly matchers: readonly ((name: string) => boolean)[];
  /** Named in the file: followed as long as the node runs. */
  private readonly named: ReadonlySet<string>;
  private readonly turns = new ReadTurns(MAX_ASKING);
  private readonly listeners: BrokerListener[] = [];
  private readonly sweeper = setInterval(() => this.sweep(performance.now()), SWEEP_MS).unref();

  constructor(private readonly parts: MirrorParts) {
    const { patterns, store, upstream, budgetBytes } = parts;
    this.channels = new KnownChannels(store, budgetBytes);
    this.matchers = patterns.map(matcherOf);
    this.named = new Set(patterns.filter((pattern) => !pattern.includes('*')));
    for (const [name, log] of store.loaded) {
      if (this.mirrors(name)) this.channels.add(this.channelOf(name, log));
      else store.changed(name, undefined);
    }
    for (const name of this.named) void this.follow(name as ChannelName).catch(noop);
    upstream.listen(this);
  }

  get isUp(): boolean {
    return this.parts.upstream.isUp;
  }

  /** Whether the channel is one of the centre. */
  mirrors(name: string): boolean {
    return this.matchers.some((matches) => matches(name)) && parseChannelName(name) !== undefined;
  }

  listen(listener: BrokerListener): void {
    this.listeners.push(listener);
  }

  /**
   * Follows the channel until `leave`. Resolves when this node has a position.
   *
   * @throws GatehouseError UPSTREAM_UNAVAILABLE if the centre cannot be asked and nothing is known, or
   *   CHANNEL_LIMIT_REACHED
   */
  async follow(name: ChannelName): Promise<void> {
    this.wanted.add(name);
    this.lingering.delete(name);
    await this.known(name).catch((error: unknown) => {
      this.leave(name);
      throw error;
    });
  }

  leave(name: ChannelName): void {
    if (this.named.has(name)) return;
    this.wanted.delete(name);
    this.linger(name);
  }

  /** @throws GatehouseError as `follow` */
  async history(name: ChannelName, query: HistoryQuery): Promise<History> {
    const known = this.wanted.has(name) ? this.channels.get(name) : undefined;
    const channel = known?.log === undefined ? await this.known(name).finally(() => this.linger(name)) : known;
    this.channels.trim(channel);
    if (channel.log === undefined) throw unavailable();
    return channel.log.history(query);
  }

  close(): Promise<void> {
    clearInterval(this.sweeper);
    for (const channel of this.channels) channel.leave();
    return this.parts.store.close();
  }

  greeted(): void {
    for (const channel of this.channels) channel.greeted();
  }

  linkLost(): void {
    for (const channel of this.channels) channel.linkLost();
  }

  distrust(): void {
    for (const channel of this.channels) channel.distrust();
  }

  pushed(message: UpstreamPush): void {
    this.channels.get((message.channel ?? '') as ChannelName)?.receive(message);
  }

  ask(channel: ChannelName, since: Position): Promise<unknown> {
    const options = { timeoutMs: ANSWER_MS, retry: false };
    return this.turns.take(() => this.parts.upstream.request('subscribe', { channel, since }, options));
  }

  arrived(channel: MirroredChannel, publication: Publication): void {
    this.channels.changed(channel);
    const epoch = channel.log?.epoch ?? '';
    for (const listener of this.listeners) listener.published(channel.name, publication, epoch);
  }

  jumped(channel: MirroredChannel): void {
    this.channels.changed(channel);
    for (const listener of this.listeners) listener.interrupted(channel.name);
  }

  told(outcome: MirrorOutcome, publications: number): void {
    if (publications > 0) this.parts.events.emit('mirrored', outcome, publications);
  }

  refused(reason: string): void {
    this.told('refused', 1);
    this.parts.events.emit('mirror_refused', reason);
  }

  /** Stops following what nobody reads, and removes old publications, at `now` on the performance.now() clock. */
  sweep(now: number): void {
    for (const [name, until] of this.lingering) {
      if (until > now) break;
      this.lingering.delete(name);
      this.unfollow(name);
    }
    for (const channel of this.channels) this.channels.trim(channel);
  }

  private async known(name: ChannelName): Promise<MirroredChannel> {
    const channel = this.channels.get(name) ?? this.create(name);
    channel.follow();
    if (channel.isAsking) await withinMs(MAX_WAIT_MS, channel.answered());
    if (channel.log === undefined) throw unavailable();
    return channel;
  }

  private create(name: ChannelName): MirroredChannel {
    if (this.channels.isFull && !this.forgetOne()) throw new GatehouseError('CHANNEL_LIMIT_REACHED');
    const channel = this.channelOf(name);
    this.channels.add(channel);
    return channel;
  }

  private channelOf(name: ChannelName, log?: MirrorLog): MirroredChannel {
    const limits = this.parts.namespaces.get(parseChannelName(name)?.namespace ?? '')?.history ?? NO_LIMITS;
    return new MirroredChannel({ name, limits, host: this, log });
  }

  private linger(name: ChannelName): void {
    if (this.wanted.has(name) || this.channels.get(name) === undefined) return;
    this.lingering.delete(name);
    this.lingering.set(name, performance.now() + LINGER_MS);
  }

  private unfollow(name: ChannelName): void {
    const channel = this.channels.get(name);
    if (channel === undefined) return;
    channel.leave();
    // The centre may be away: it forgets the session then.
    const options = { timeoutMs: ANSWER_MS, retry: false };
    if (this.isUp) void this.parts.upstream.request('unsubscribe', { channel: name }, options).catch(noop);
    if ((channel.log?.seq ?? 0) === 0) this.channels.forget(channel);
  }

  private forgetOne(): boolean {
    for (const channel of this.channels) {
      if (this.wanted.has(channel.name)) continue;
      this.lingering.delete(channel.name);
      this.unfollow(channel.name);
      this.channels.forget(channel);
      this.told('forgotten', 1);
      return true;
    }
    return false;
  }
}

function unavailable(): GatehouseError {
  return new GatehouseError('UPSTREAM_UNAVAILABLE', { retryAfter: RETRY_AFTER_MS });
}

function noop(): void {}

async function withinMs(ms: number, waiting: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([waiting, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}

import { Injectable, Optional, type OnApplicationShutdown } from '@nestjs/common';
import { Broker, type BrokerListener, type ChannelName, type Publication } from '../cluster/ports/broker.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { Traces } from '../protocol/traces.js';
import { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import type { ChannelSurroundings, LocalChannelSetup } from './local-channel-setup.js';
import type { LocalChannel } from './local-channel.js';
import { LocalChannels } from './local-channels.js';
import { NamespaceCounts } from './namespace-counts.js';
import { PublicationRelay } from './publication-relay.js';
import { CheckRounds } from './recovery/check-rounds.js';
import { HistoryReader } from './recovery/history-reader.js';
import { RepairQueue } from './recovery/repair-queue.js';
import { SessionChannels } from './session-channels.js';
import type { Subscription } from './subscription.js';

/**
 * How long a channel without subscribers on this node stays subscribed at the broker, because reconnects come in waves.
 */
export const LINGER_MS = 5_000;
const TICK_MS = 1_000;

/** The channels with subscribers on this node, and the channels of each session. */
@Injectable()
export class ChannelHub implements BrokerListener, Iterable<LocalChannel>, OnApplicationShutdown {
  /** All history reads of this node, so that they take turns. */
  readonly histories: HistoryReader;
  private readonly surroundings: ChannelSurroundings;
  private readonly local = new Map<ChannelName, LocalChannel>();
  private readonly ofSession = new Map<Session, SessionChannels>();
  /** When each channel without subscribers is forgotten, soonest first. All linger equally long. */
  private readonly lingering = new Map<LocalChannel, number>();
  private readonly checks: CheckRounds;
  private readonly repairs = new RepairQueue();
  private readonly creationListeners: ((channel: LocalChannel, now: number) => void)[] = [];
  private readonly forgottenListeners: ((channel: LocalChannel) => void)[] = [];
  private readonly tickListeners: ((now: number) => void)[] = [];
  /** Runs while there are channels. */
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly broker: Broker,
    private readonly events: SessionEvents,
    readonly counts: NamespaceCounts,
    private readonly maker: LocalChannels,
    @Optional() readonly relay?: PublicationRelay,
  ) {
    this.histories = new HistoryReader(broker);
    this.checks = new CheckRounds(this.local, broker);
    const { histories, repairs, traces } = this;
    this.surroundings = { broker, histories, events, traces, repairs };
    broker.listen(this);
  }

  onApplicationShutdown(): void {
    this.rest();
  }

  get traces(): Traces | undefined {
    return this.maker.traces;
  }

  /** Number of channels that this node is subscribed to at the broker. */
  get size(): number {
    return this.local.size;
  }

  /** Numbers of channels with repairs, and of channels that linger without subscribers. */
  get backlog(): Record<'repairsWaiting' | 'repairsRunning' | 'repairsFailed' | 'lingering', number> {
    const { waiting, running, failed } = this.repairs.backlog;
    return {
      repairsWaiting: waiting,
      repairsRunning: running,
      repairsFailed: failed,
      lingering: this.lingering.size,
    };
  }

  [Symbol.iterator](): Iterator<LocalChannel> {
    return this.local.values();
  }

  /**
   * Resolves when publications of the channel arrive at this node. Call `join` in the same turn, or the channel may be
   * gone.
   *
   * @throws GatehouseError SERVER_BUSY if the broker cannot be reached
   */
  async obtain(setup: LocalChannelSetup): Promise<LocalChannel> {
    for (;;) {
      const channel = this.local.get(setup.name) ?? this.create(setup);
      await channel.opening;
      // The channel may have been forgotten while the broker was asked.
      if (this.local.get(setup.name) === channel) return channel;
    }
  }

  get(name: ChannelName): LocalChannel | undefined {
    return this.local.get(name);
  }

  isSubscribed(session: Session, name: ChannelName): boolean {
    return this.local.get(name)?.subscriptions.has(session) ?? false;
  }

  channelsOf(session: Session): readonly LocalChannel[] {
    return [...(this.ofSession.get(session)?.all ?? [])];
  }

  /** Number of channels of a session, without companion channels. */
  countOf(session: Session): number {
    return this.ofSession.get(session)?.count ?? 0;
  }

  /** @throws GatehouseError SERVER_BUSY if the session has closed meanwhile, because nobody would remove it again */
  join(session: Session, channel: LocalChannel, formerSession?: string): Subscription {
    if (!session.connection.isServed) throw new GatehouseError('SERVER_BUSY');
    const channels = this.ofSession.get(session) ?? new SessionChannels();
    this.ofSession.set(session, channels);
    channels.add(channel);
    this.lingering.delete(channel);
    const subscription = this.counted(channel, () => channel.add(session, formerSession));
    if (channel.subscriptions.size === 1 && !channel.isCompanion) this.events.emit('occupied', channel.name);
    return subscription;
  }

  /** Returns false if the session was not in the channel. */
  remove(session: Session, channel: LocalChannel): boolean {
    const channels = this.ofSession.get(session);
    channels?.delete(channel);
    if (channels?.all.size === 0) this.ofSession.delete(session);
    const wasThere = this.counted(channel, () => channel.remove(session));
    if (wasThere && channel.subscriptions.size === 0) this.linger(channel);
    return wasThere;
  }

  published(name: ChannelName, publication: Publication, epoch: string): void {
    this.local.get(name)?.receive(publication, epoch);
  }

  interrupted(name?: ChannelName): void {
    const local = name === undefined ? undefined : this.local.get(name);
    local?.doubt();
    // What the engine says of a channel with an area, it says of all its cells.
    const isOfMany = name === undefined || local?.channel.namespace.state?.area !== undefined;
    if (!isOfMany) return;
    for (const channel of this.local.values()) {
      if (name === undefined || channel.channel.name === name) channel.doubt();
    }
  }

  /** @param listener called with each new channel of this node, and the time of performance.now() */
  onCreated(listener: (channel: LocalChannel, now: number) => void): void {
    this.creationListeners.push(listener);
  }

  /** @param listener called with each channel that this node forgets */
  onForgotten(listener: (channel: LocalChannel) => void): void {
    this.forgottenListeners.push(listener);
  }

  /** @param listener called once a second while this node has channels, with the time of performance.now() */
  onTick(listener: (now: number) => void): void {
    this.tickListeners.push(listener);
  }

  private wake(): void {
    this.timer ??= setInterval(() => {
      const now = performance.now();
      this.tick(now);
      for (const listener of this.tickListeners) listener(now);
      if (this.local.size === 0) this.rest();
    }, TICK_MS).unref();
  }

  private rest(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Leaves channels that nobody on this node has used for a while, at `now` on the performance.now() clock. */
  tick(now: number): void {
    for (const [channel, at] of this.lingering) {
      if (at > now) break;
      this.forget(channel);
    }
    this.repairs.retry();
    this.checks.tick(TICK_MS);
  }

  private create(setup: LocalChannelSetup): LocalChannel {
    const { surroundings } = this;
    const channel = this.maker.make({ setup, surroundings, count: this.counts.of(setup.channel.namespace) });
    this.local.set(setup.name, channel);
    this.wake();
    // Until a session joins: the request may be refused, or its session gone.
    this.linger(channel);
    channel.opening?.catch(() => this.forget(channel));
    const now = performance.now();
    for (const listener of this.creationListeners) listener(channel, now);
    return channel;
  }

  /** Companion channels are not counted. */
  private counted<T>({ isCompanion, channel, subscriptions }: LocalChannel, change: () => T): T {
    const before = subscriptions.size;
    const result = change();
    if (!isCompanion) this.counts.of(channel.namespace).changed(subscriptions.size, before);
    return result;
  }

  private linger(channel: LocalChannel): void {
    this.lingering.delete(channel);
    this.lingering.set(channel, performance.now() + LINGER_MS);
  }

  private forget(channel: LocalChannel): void {
    this.lingering.delete(channel);
    this.repairs.forget(channel);
    for (const listener of this.forgottenListeners) listener(channel);
    if (this.local.get(channel.name) !== channel) return;
    this.local.delete(channel.name);
    this.broker.unsubscribe(channel.name);
    if (!channel.isCompanion) this.events.emit('vacated', channel.name);
  }
}

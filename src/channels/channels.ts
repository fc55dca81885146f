import { Inject, Injectable } from '@nestjs/common';
import {
  BROKER,
  type Broker,
  type History,
  type HistoryQuery,
  type Position,
  type Published,
} from '../cluster/broker.js';
import { isContinuedBy } from '../cluster/continuity.js';
import type { Presence } from '../cluster/presence-store.js';
import type { Publisher } from '../protocol/envelope.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import { sendable } from '../protocol/sendable.js';
import { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import { ChannelHub } from './channel-hub.js';
import { channelNamed, type Channel } from './channel.js';
import { CHANNELS_SETTINGS, type ChannelsSettings } from './channels-settings.js';
import { PresenceTracker, presenceChannelOf } from './presence-tracker.js';
import { isFresh, recover, type Recovery } from './recovery.js';
import { eventsOf, messagesOf } from './renderings.js';
import type { Subscription } from './subscription.js';

/** What one reply brings of a history, about; one publication in any case. */
const MAX_REPLY_BYTES = 1_048_576;

export interface SubscribeOptions {
  /** Where the client stood when it was last connected. */
  readonly since?: Position | undefined;
  /** The session it then had: what that session excluded itself from stays excluded. */
  readonly previousSession?: string | undefined;
  /** Whether it wants to hear who joins and leaves, where the namespace tells. */
  readonly presence?: boolean | undefined;
}

export interface PublishRequest {
  readonly data: unknown;
  readonly from?: Publisher | undefined;
  /** Of the same publisher and channel, only the first publish with a key is made. Who has no `from` is one publisher. */
  readonly idempotencyKey?: string | undefined;
  /** Milliseconds after which it must not be delivered any more. */
  readonly ttlMs?: number | undefined;
  /** A session that is not to get it. */
  readonly excludeSession?: string | undefined;
}

/** The state of a subscription, and the step that opens it for live publications. */
export interface Subscribed extends Recovery {
  readonly channel: string;
  /** To be called once the client has been told: what was published meanwhile follows, in order. */
  readonly goLive: () => void;
}

/**
 * Channels for gateways and back ends: publish, subscribe sessions, read history and presence. Who may do what is for
 * the caller to decide; the clients' own requests are held against the namespaces by the channels gateway.
 */
@Injectable()
export class Channels {
  constructor(
    @Inject(CHANNELS_SETTINGS) private readonly settings: ChannelsSettings,
    @Inject(BROKER) private readonly broker: Broker,
    private readonly hub: ChannelHub,
    private readonly presence: PresenceTracker,
    private readonly events: SessionEvents,
  ) {
    events.on('closed', (session) => this.departed(session));
  }

  /** @throws GatehouseError UNKNOWN_CHANNEL */
  named(name: string): Channel {
    return channelNamed(name, this.settings.namespaces);
  }

  /**
   * Takes a session in. Where it was in already it recovers anew. One that fails on the way is not in any more.
   *
   * @throws GatehouseError CHANNEL_LIMIT_REACHED, NOT_SUBSCRIBED where it was unsubscribed meanwhile, or SERVER_BUSY when
   *   the broker cannot be reached
   */
  async subscribe(session: Session, channel: Channel, options: SubscribeOptions = {}): Promise<Subscribed> {
    this.demandRoom(session, channel);
    const local = await this.hub.obtain(messagesOf(channel));
    // Once more: others may have come while the broker was asked.
    this.demandRoom(session, channel);
    const subscription = this.hub.join(session, local, options.previousSession);
    try {
      const recovery = await recover(local, subscription, options.since);
      demandCurrent(subscription);
      await this.presence.enter(session, channel);
      demandCurrent(subscription);
      const openPresence = options.presence ? await this.followPresence(session, channel, subscription) : undefined;
      if (options.since) this.events.emit('recovered', recovery.recovered ? 'recovered' : 'gap');
      const goLive = (): void => {
        local.goLive(subscription);
        openPresence?.();
      };
      return { channel: channel.name, ...recovery, goLive };
    } catch (error) {
      if (!subscription.hasEnded) this.giveUp(session, channel);
      throw error;
    }
  }

  /** @throws GatehouseError NOT_SUBSCRIBED */
  async unsubscribe(session: Session, channel: Channel): Promise<void> {
    if (!this.isSubscribed(session, channel)) throw new GatehouseError('NOT_SUBSCRIBED');
    this.removeFrom(session, channel);
    await this.presence.leave(session, channel);
  }

  isSubscribed(session: Session, { name }: Channel): boolean {
    return this.hub.isSubscribed(session, name);
  }

  /**
   * The data must not be changed any more.
   *
   * @throws GatehouseError SERVER_BUSY when the broker cannot be reached; TypeError or RangeError for data that no codec writes
   */
  async publish({ name, namespace }: Channel, request: PublishRequest): Promise<Published> {
    const { from, ttlMs, excludeSession, idempotencyKey } = request;
    const expiresAt = ttlMs === undefined ? undefined : Date.now() + ttlMs;
    const draft = { data: sendable(request.data), from, excludeSession, expiresAt };
    const key = idempotencyKey === undefined ? undefined : keyOf(from, idempotencyKey);
    return this.broker.publish(name, draft, { history: namespace.history, idempotencyKey: key });
  }

  /** @throws GatehouseError SERVER_BUSY when the broker cannot be reached */
  async history({ name }: Channel, query: HistoryQuery = {}): Promise<History> {
    const history = await this.broker.history(name, query);
    return { ...history, publications: history.publications.filter(isFresh) };
  }

  /**
   * What came after a position, as much as one reply may bring; the rest comes after the last of it. One of another life of the channel says nothing about this one: then everything there is
   * comes after it.
   *
   * @throws GatehouseError SERVER_BUSY when the broker cannot be reached
   */
  async historySince(channel: Channel, since: Position | undefined, query: HistoryQuery): Promise<History> {
    const bounded = { ...query, maxBytes: MAX_REPLY_BYTES };
    const history = await this.history(channel, { ...bounded, afterSeq: since?.seq });
    const isOtherLife = since !== undefined && !isContinuedBy(since, history);
    return isOtherLife ? this.history(channel, bounded) : history;
  }

  /** The sessions in a channel, over all nodes. */
  members(channel: Channel): Promise<readonly Presence[]> {
    return this.presence.members(channel);
  }

  /** Returns the step that lets the events through. */
  private async followPresence(
    session: Session,
    channel: Channel,
    subscription: Subscription,
  ): Promise<(() => void) | undefined> {
    if (!channel.namespace.joinLeave) return undefined;
    const companion = await this.hub.obtain(eventsOf(channel));
    demandCurrent(subscription);
    const follower = this.hub.join(session, companion);
    return () => companion.goLive(follower);
  }

  private demandRoom(session: Session, channel: Channel): void {
    if (this.isSubscribed(session, channel)) return;
    const { maxPerSession } = this.settings;
    const { maxSubscribers } = channel.namespace;
    const count = this.hub.get(channel.name)?.subscriptions.size ?? 0;
    const isFull = maxSubscribers > 0 && count >= maxSubscribers;
    const hasMany = maxPerSession > 0 && this.hub.countOf(session) >= maxPerSession;
    if (isFull || hasMany) throw new GatehouseError('CHANNEL_LIMIT_REACHED');
  }

  /** Out of the channel and its companion. */
  private removeFrom(session: Session, channel: Channel): void {
    for (const name of [channel.name, presenceChannelOf(channel)]) {
      const local = this.hub.get(name);
      if (local) this.hub.remove(session, local);
    }
  }

  /** Its subscribe has failed: nothing is left of it, and presence is not made to flap by the next attempt. */
  private giveUp(session: Session, channel: Channel): void {
    this.removeFrom(session, channel);
    this.presence.leaveLater(session, channel);
  }

  private departed(session: Session): void {
    for (const local of this.hub.channelsOf(session)) {
      this.hub.remove(session, local);
      if (!local.isCompanion) this.presence.leaveLater(session, local.channel);
    }
  }
}

/** The session may have closed or been unsubscribed while something was awaited. */
function demandCurrent({ hasEnded }: Subscription): void {
  if (hasEnded) throw new GatehouseError('NOT_SUBSCRIBED');
}

/** Of one user: what others choose as theirs must not swallow its messages. The length tells the two parts apart. */
function keyOf(from: Publisher | undefined, idempotencyKey: string): string {
  return from === undefined ? `:${idempotencyKey}` : `${from.userId.length}:${from.userId}${idempotencyKey}`;
}

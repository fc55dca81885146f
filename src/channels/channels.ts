import { Inject, Injectable } from '@nestjs/common';
import type { Namespaces } from '../../config/namespaces.js';
import {
  BROKER,
  type Broker,
  type History,
  type HistoryQuery,
  type Position,
  type Publication,
  type Published,
} from '../cluster/broker.js';
import type { Presence } from '../cluster/presence-store.js';
import type { OutboundMessage, Publisher } from '../protocol/envelope.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import { ChannelHub } from './channel-hub.js';
import { channelNamed, type Channel } from './channel.js';
import type { LocalChannel } from './local-channel.js';
import { PresenceTracker, presenceChannelOf } from './presence-tracker.js';
import { recover, type Recovery } from './recovery.js';

export const CHANNELS_SETTINGS = Symbol('ChannelsSettings');

export interface ChannelsSettings {
  readonly namespaces: Namespaces;
  /** Zero: no limit. */
  readonly maxPerSession: number;
}

export interface SubscribeOptions {
  /** Where the client stood when it was last connected. */
  readonly since?: Position | undefined;
  /** The session it then had: what that session excluded itself from stays excluded. */
  readonly previousSession?: string | undefined;
  /** Whether it wants to hear who joins and leaves. */
  readonly presence?: boolean | undefined;
}

export interface PublishRequest {
  readonly data: unknown;
  readonly from?: Publisher | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Milliseconds after which it must not be delivered any more. */
  readonly ttlMs?: number | undefined;
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
    events: SessionEvents,
  ) {
    events.on('closed', (session) => this.departed(session));
  }

  /** @throws GatehouseError UNKNOWN_CHANNEL */
  named(name: string): Channel {
    return channelNamed(name, this.settings.namespaces);
  }

  /** @throws GatehouseError CHANNEL_LIMIT_REACHED, or SERVER_BUSY when the broker cannot be reached */
  async subscribe(session: Session, channel: Channel, options: SubscribeOptions = {}): Promise<Subscribed> {
    const { namespace, name } = channel;
    this.demandRoom(session, channel);
    const hasHistory = namespace.history !== undefined;
    const local = await this.hub.obtain({
      name,
      hasHistory,
      delivery: namespace.delivery,
      render: renderMessage(channel),
    });
    this.demandRoom(session, channel);

    const subscription = this.join(session, local);
    try {
      const recovery = await recover(this.broker, channel, { ...options, session });
      await this.presence.enter(session, channel);
      if (options.presence && namespace.joinLeave) await this.followPresence(session, channel);
      const goLive = (): void => local.goLive(subscription, recovery.seq ?? 0, recovery.epoch ?? '');
      return { channel: name, ...recovery, goLive };
    } catch (error) {
      this.hub.remove(session, local);
      throw error;
    }
  }

  /** @throws GatehouseError NOT_SUBSCRIBED */
  async unsubscribe(session: Session, channel: Channel): Promise<void> {
    const local = this.hub.get(channel.name);
    if (local === undefined || !this.hub.remove(session, local)) throw new GatehouseError('NOT_SUBSCRIBED');
    const presence = this.hub.get(presenceChannelOf(channel));
    if (presence) this.hub.remove(session, presence);
    await this.presence.leave(session, channel);
  }

  isSubscribed(session: Session, { name }: Channel): boolean {
    return this.hub.isSubscribed(session, name);
  }

  /** @throws GatehouseError SERVER_BUSY when the broker cannot be reached */
  publish({ name, namespace }: Channel, request: PublishRequest): Promise<Published> {
    const { data, from, ttlMs, excludeSession, idempotencyKey } = request;
    const expiresAt = ttlMs === undefined ? undefined : Date.now() + ttlMs;
    return this.broker.publish(
      name,
      { data, from, excludeSession, expiresAt },
      { history: namespace.history, idempotencyKey },
    );
  }

  /** @throws GatehouseError SERVER_BUSY when the broker cannot be reached */
  history({ name }: Channel, query: HistoryQuery = {}): Promise<History> {
    return this.broker.history(name, query);
  }

  /** The sessions in a channel, over all nodes. */
  members(channel: Channel): Promise<readonly Presence[]> {
    return this.presence.members(channel);
  }

  private join(session: Session, local: LocalChannel) {
    // The session may have closed while the channel was opened; then nobody would take it out again.
    if (!session.connection.isOpen) throw new GatehouseError('SERVER_BUSY');
    const subscription = local.add(session);
    this.hub.note(session, local);
    return subscription;
  }

  private async followPresence(session: Session, channel: Channel): Promise<void> {
    const name = presenceChannelOf(channel);
    const render = renderPresence(channel);
    const local = await this.hub.obtain({ name, hasHistory: false, delivery: 'disconnect', render });
    local.goLive(this.join(session, local), 0, '');
  }

  private demandRoom(session: Session, channel: Channel): void {
    if (this.hub.isSubscribed(session, channel.name)) return;
    const { maxPerSession } = this.settings;
    const { maxSubscribers } = channel.namespace;
    const count = this.hub.get(channel.name)?.subscriptions.size ?? 0;
    const isFull = maxSubscribers > 0 && count >= maxSubscribers;
    const hasMany = maxPerSession > 0 && this.hub.countOf(session) >= maxPerSession;
    if (isFull || hasMany) throw new GatehouseError('CHANNEL_LIMIT_REACHED');
  }

  private departed(session: Session): void {
    for (const { name } of this.hub.channelsOf(session)) {
      if (!name.startsWith('@')) this.presence.leaveLater(session, this.named(name));
    }
    this.hub.removeAll(session);
  }
}

function renderMessage({ name }: Channel): (publication: Publication, epoch: string) => OutboundMessage {
  return ({ seq, ts, data, from }, epoch) =>
    seq === 0
      ? { type: 'message', channel: name, ts, from, data }
      : { type: 'message', channel: name, seq, epoch, ts, from, data };
}

function renderPresence({ name }: Channel): (publication: Publication) => OutboundMessage {
  return ({ ts, data }) => ({ type: 'presence', channel: name, ts, data });
}

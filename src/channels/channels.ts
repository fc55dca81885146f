import { Injectable, Optional } from '@nestjs/common';
import type { History, HistoryQuery, Position, Publication, Published } from '../cluster/ports/broker.js';
import { isContinuedBy, knownSeq } from '../cluster/ports/continuity.js';
import type { Presence } from '../cluster/ports/presence-store.js';
import type { ChannelNameOf, ContractShape, PublicationOf } from '../protocol/declared-contract.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import type { BridgedRequest } from './channel-egress.js';
import { ChannelHub } from './channel-hub.js';
import { channelMeant, channelNamed, destinationOf, type Channel } from './channel.js';
import { ChannelsSettings } from './channels-settings.js';
import { PresenceTracker, presenceChannelOf, type MemberList } from './presence/presence-tracker.js';
import {
  demandCipher,
  draftOf,
  idempotencyKeyOf,
  type PublishOptions,
  type PublishRequest,
} from './publish-request.js';
import { isFresh, recover } from './recovery/recovery.js';
import { eventsOf, messagesOf } from './pushes.js';
import { leaveCells } from './state/cells-of.js';
import type { ChannelState } from './state/channel-state.js';
import { demandMessages } from './state/demand-state.js';
import { States } from './state/states.js';
import type { SubscribeOptions, Subscribed } from './subscribe-options.js';
import type { Subscription } from './subscription.js';

/** Approximate bytes of a history in one reply. At least one publication is returned. */
const MAX_REPLY_BYTES = 1_048_576;

/**
 * Channels for gateways and back ends: publish, subscribe sessions, read history and presence. The caller decides who
 * may do what; the channels gateway checks the requests of clients against the namespaces. `Channels<Contract>` publishes
 * only what the contract declares.
 */
@Injectable()
export class Channels<C extends ContractShape = ContractShape> {
  constructor(
    private readonly settings: ChannelsSettings,
    private readonly hub: ChannelHub,
    private readonly presence: PresenceTracker,
    private readonly events: SessionEvents,
    @Optional() private readonly states?: States,
  ) {
    events.on('closed', (session) => this.departed(session));
  }

  /** @throws GatehouseError UNKNOWN_CHANNEL */
  named(name: string): Channel {
    return channelNamed(name, this.settings.namespaces);
  }

  /**
   * Subscribes a session. If it is subscribed already, it recovers again. If this fails, the session is not subscribed
   * any more.
   *
   * @throws GatehouseError CHANNEL_LIMIT_REACHED, NOT_SUBSCRIBED if it was unsubscribed meanwhile, or SERVER_BUSY if
   *   the broker cannot be reached
   */
  async subscribe(session: Session, channel: Channel, options: SubscribeOptions = {}): Promise<Subscribed> {
    this.demandRoom(session, channel);
    const local = await this.hub.obtain(messagesOf(channel));
    // Checked again: other subscriptions may have been made while the broker was asked.
    this.demandRoom(session, channel);
    const subscription = this.hub.join(session, local, options.previousSession);
    if (!options.isByRight) subscription.isByRight = false;
    leaveCells(this.hub, session, channel);
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
      this.giveUp(session, channel, subscription);
      throw error;
    }
  }

  /** @throws GatehouseError NOT_SUBSCRIBED */
  async unsubscribe(session: Session, channel: Channel): Promise<void> {
    if (!this.isSubscribed(session, channel)) throw new GatehouseError('NOT_SUBSCRIBED');
    this.removeFrom(session, channel);
    await this.presence.leave(session, channel);
  }

  /** Unsubscribes a session at once; presence follows by itself. Returns false if it was not subscribed. */
  drop(session: Session, channel: Channel): boolean {
    const wasThere = this.removeFrom(session, channel);
    if (wasThere) void this.presence.leave(session, channel);
    return wasThere;
  }

  /** Ends only the presence events of a subscription. Returns false if it had none. */
  dropPresence(session: Session, channel: Channel): boolean {
    const companion = this.hub.get(presenceChannelOf(channel));
    return companion !== undefined && this.hub.remove(session, companion);
  }

  /** The subscriptions of a session that depend on its own rights. */
  byRight(session: Session): readonly Channel[] {
    const locals = this.hub.channelsOf(session).filter((local) => !local.isCompanion);
    return locals.filter((local) => local.subscriptions.get(session)?.isByRight).map(({ channel }) => channel);
  }

  isSubscribed(session: Session, { name }: Channel): boolean {
    return this.hub.isSubscribed(session, name);
  }

  /**
   * Publishes: `channels.publish('room:lobby', { text: 'hi' }, { from: session })`. Do not change the data afterwards.
   * If the namespace requires encryption, the data is encrypted here, once for all subscribers.
   *
   * @param name a name that stands in your code; one that a client has sent goes through `named` first
   * @throws UnknownNamespace; GatehouseError FORBIDDEN if the namespace has state, SERVER_BUSY if the broker cannot be
   *   reached, NOT_REPLICATED if fewer replicas have it in time than the namespace demands; TypeError or RangeError
   */
  publish<N extends ChannelNameOf<C>>(name: N, data: PublicationOf<C, N>, how?: PublishOptions): Promise<Published>;
  publish(channel: Channel, request: PublishRequest): Promise<Published>;
  async publish(meant: Channel | string, given: unknown, how?: PublishOptions): Promise<Published> {
    const channel = channelMeant(meant, this.settings);
    const request: BridgedRequest = typeof meant === 'string' ? { ...how, data: given } : (given as PublishRequest);
    demandMessages(channel);
    const kept = this.hub.relay?.keep(channel, request);
    if (kept !== undefined && (await kept) === 'there') return { position: undefined, isRepeat: false };
    const { name, namespace } = channel;
    const draft = draftOf(request, namespace, this.settings.cipher);
    const { history, replicas } = namespace;
    const options = { history, replicas, idempotencyKey: idempotencyKeyOf(request), mark: request.mark };
    const send = (trace?: string): Promise<Published> =>
      this.hub.broker.publish(name, trace === undefined ? draft : { ...draft, trace }, options);
    const published = await (this.hub.traces?.publish(destinationOf(channel), send) ?? send());
    if (!published.isRepeat) this.hub.counts.of(namespace).publications += 1;
    this.settings.egress?.send({ channel, draft, published, via: request.via, mark: request.mark });
    return published;
  }

  /**
   * The values of a channel whose namespace has `state`: `channels.state('twin:line-1').set('robot-7', { x: 4 })`.
   *
   * @throws UnknownNamespace; GatehouseError FORBIDDEN if the namespace has no state
   */
  state(meant: Channel | string): ChannelState {
    if (this.states === undefined) throw new GatehouseError('SERVER_BUSY');
    return this.states.of(channelMeant(meant, this.settings));
  }

  /** @throws GatehouseError SERVER_BUSY if the broker cannot be reached */
  async history({ name }: Channel, query: HistoryQuery = {}): Promise<History> {
    const history = await this.hub.histories.history(name, query);
    return { ...history, publications: history.publications.filter(isFresh) };
  }

  /**
   * Reads the publications after a position, as many as fit into one reply. Continue from the last of them. A position
   * of an unrelated epoch counts as the start of the history.
   *
   * @throws GatehouseError SERVER_BUSY if the broker cannot be reached
   */
  async historySince(channel: Channel, since: Position | undefined, query: HistoryQuery): Promise<History> {
    const bounded = { ...query, maxBytes: MAX_REPLY_BYTES };
    const history = await this.history(channel, { ...bounded, afterSeq: since?.seq });
    if (since === undefined || isContinuedBy(since, history)) return history;
    return this.history(channel, { ...bounded, afterSeq: knownSeq(since, history) });
  }

  /**
   * Decrypts a publication, if its namespace requires encryption.
   *
   * @throws GatehouseError DECRYPTION_FAILED if it was encrypted with a key that is no longer configured
   */
  dataOf({ data, enc }: Publication): unknown {
    if (enc === undefined) return data;
    return demandCipher(this.settings.cipher).openKept(data);
  }

  /**
   * The sessions in a channel, over all nodes.
   *
   * @param limit how many to read at most, whichever they are; default: all
   * @throws GatehouseError SERVER_BUSY when the store of presence cannot be reached
   */
  members(channel: Channel, limit?: number): Promise<readonly Presence[]> {
    return this.presence.members(channel, limit);
  }

  /**
   * As many sessions as one reply may list: MAX_PRESENCE_MEMBERS, or fewer.
   *
   * @throws GatehouseError SERVER_BUSY when the store of presence cannot be reached
   */
  memberList(channel: Channel, limit?: number): Promise<MemberList> {
    return this.presence.memberList(channel, limit);
  }

  /** Returns the function that lets the events through. */
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
    const isFull = maxSubscribers > 0 && (this.hub.get(channel.name)?.subscriptions.size ?? 0) >= maxSubscribers;
    const hasMany = maxPerSession > 0 && this.hub.countOf(session) >= maxPerSession;
    if (isFull || hasMany) throw new GatehouseError('CHANNEL_LIMIT_REACHED');
  }

  /** Leaves the channel, its cells and its companion. Returns false if the session was not in it. */
  private removeFrom(session: Session, channel: Channel): boolean {
    this.dropPresence(session, channel);
    leaveCells(this.hub, session, channel);
    const local = this.hub.get(channel.name);
    return local !== undefined && this.hub.remove(session, local);
  }

  /** The subscribe failed: removes everything, without a leave that the next attempt would turn into a flap. */
  private giveUp(session: Session, channel: Channel, { hasEnded }: Subscription): void {
    if (!hasEnded) this.removeFrom(session, channel);
    // Also if it was dropped, because it may have been entered into presence afterwards.
    if (!this.isSubscribed(session, channel)) this.presence.leaveLater(session, channel);
  }

  private departed(session: Session): void {
    const left = this.hub.channelsOf(session).filter((local) => this.hub.remove(session, local) && !local.isCompanion);
    for (const { channel } of left) this.presence.leaveLater(session, channel);
  }
}

/** The session may have closed or been unsubscribed during an `await`. */
function demandCurrent({ hasEnded }: Subscription): void {
  if (hasEnded) throw new GatehouseError('NOT_SUBSCRIBED');
}

import { Injectable } from '@nestjs/common';
import { approximateBytes } from '../cluster/ports/approximate-bytes.js';
import type { HistoryQuery, Position } from '../cluster/ports/broker.js';
import type { InboundMessage } from '../protocol/envelope.js';
import type { Session } from '../sessions/session.js';
import { demandEncryption, demandPublish, demandRead } from './channel-access.js';
import { ChannelHooks } from './channel-hooks.js';
import type { Channel } from './channel.js';
import { Channels } from './channels.js';
import type { MemberList } from './presence/presence-tracker.js';
import type { Subscribed, SubscribeOptions } from './subscribe-options.js';
import { PublishLimits } from './publish-limits.js';
import type { PublishRequest } from './publish-request.js';
import { show } from './recovery/recovery.js';
import type { ShownPublication } from './recovery/recovery-reply.js';
import { demandMessages } from './state/demand-state.js';
import { SubscriptionReview } from './subscription-review.js';

/** The message with the request: its sender and its size. */
export interface ClientMessage {
  readonly session: Session;
  readonly message: InboundMessage;
  readonly bytes: number;
}

/** A publish request of a client. */
export type ClientPublication = Pick<PublishRequest, 'data' | 'idempotencyKey' | 'ttlMs' | 'excludeSession'>;

/** A history request of a client. */
export interface ClientHistoryQuery extends Pick<HistoryQuery, 'limit' | 'reverse'> {
  /** Only publications after this position. */
  readonly since?: Position | undefined;
}

/** A reply, and its approximate size in bytes. */
export interface Sized<T> {
  readonly reply: T;
  readonly bytes: number;
}

/**
 * Requests of clients about channels. Each request is checked against the rules of its namespace and the hooks of the
 * application, and carried out only if they allow it. `Channels` does the same without checks.
 */
@Injectable()
export class ChannelRequests {
  constructor(
    private readonly channels: Channels,
    private readonly hooks: ChannelHooks,
    private readonly review: SubscriptionReview,
    private readonly limits: PublishLimits,
  ) {}

  /**
   * Subscribes a session at the request of its client. The subscription ends when the session loses the right to it.
   *
   * @throws GatehouseError as `Channels.subscribe`, UNKNOWN_CHANNEL, UNAUTHENTICATED or FORBIDDEN, and any error of a
   *   hook
   */
  async subscribe(session: Session, name: string, options: SubscribeOptions): Promise<Sized<Subscribed>> {
    const reply = await this.review.admit(session, this.channels.named(name), options);
    const { publications, state } = reply;
    const bytes = publications.length === 0 ? 0 : approximateBytes(publications);
    return { reply, bytes: state === undefined ? bytes : bytes + approximateBytes(state) };
  }

  /**
   * Finds the channel of a publish, and checks the rules of its namespace.
   *
   * @throws GatehouseError UNKNOWN_CHANNEL, UNAUTHENTICATED, FORBIDDEN, NOT_SUBSCRIBED, MESSAGE_TOO_LARGE or
   *   RATE_LIMIT_EXCEEDED
   */
  demandPublish(name: string, { session, message, bytes }: ClientMessage): Channel {
    const channel = this.channels.named(name);
    demandMessages(channel);
    demandPublish(session, channel, this.channels.isSubscribed(session, channel));
    demandEncryption(channel, message);
    this.limits.demand(session, channel, bytes);
    return channel;
  }

  /**
   * Asks the hooks, then publishes in the name of the session.
   *
   * @param by `onSent` is called as soon as later publications of the same connection cannot overtake this one
   * @throws GatehouseError as `Channels.publish`, and any error of a hook
   */
  async publish(
    channel: Channel,
    publication: ClientPublication,
    { session, onSent }: { readonly session: Session; readonly onSent: () => void },
  ): Promise<Position | undefined> {
    const data = await this.hooks.ask('publish', { session, channel, data: publication.data });
    const publishing = this.channels.publish(channel, { ...publication, data, from: session.publisher });
    onSent();
    return (await publishing).position;
  }

  /** @throws GatehouseError UNKNOWN_CHANNEL, UNAUTHENTICATED, FORBIDDEN or SERVER_BUSY, and any error of a hook */
  async history(
    session: Session,
    name: string,
    { since, ...query }: ClientHistoryQuery,
  ): Promise<Sized<Partial<Position> & { readonly publications: readonly ShownPublication[] }>> {
    const channel = await this.readable(session, name, 'history');
    const { top, publications } = await this.channels.historySince(channel, since, query);
    const bytes = publications.reduce((sum, publication) => sum + publication.bytes, 0);
    return { reply: { ...top, publications: publications.map(show) }, bytes };
  }

  /** @throws GatehouseError UNKNOWN_CHANNEL, UNAUTHENTICATED, FORBIDDEN or SERVER_BUSY; and what a hook throws */
  async members(session: Session, name: string): Promise<Sized<MemberList>> {
    const reply = await this.channels.memberList(await this.readable(session, name, 'presence'));
    return { reply, bytes: approximateBytes(reply.members) };
  }

  /** A client that hooks keep out of a channel must not read it either. */
  private async readable(session: Session, name: string, what: 'history' | 'presence'): Promise<Channel> {
    const channel = this.channels.named(name);
    demandRead(session, channel, what);
    if (!this.channels.isSubscribed(session, channel)) await this.hooks.ask('subscribe', { session, channel });
    return channel;
  }
}

import { HttpException, Injectable } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { ERRORS, type ErrorCode } from '@gatehouse/protocol';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { RightsReview } from '../sessions/rights-review.js';
import { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import { demandSubscribe } from './channel-access.js';
import { ChannelHooks } from './channel-hooks.js';
import type { Channel } from './channel.js';
import { Channels } from './channels.js';
import type { Subscribed, SubscribeOptions } from './subscribe-options.js';

/** The data of the message `unsubscribed`, for a subscription that the rights do not allow any more. */
interface Loss {
  readonly lost: 'channel' | 'presence';
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * Checks subscriptions against the rights of their session: when a client requests one, and whenever the rights have
 * changed. Subscriptions that application code has made are not touched.
 */
@Injectable()
export class SubscriptionReview implements RightsReview {
  constructor(
    private readonly channels: Channels,
    private readonly hooks: ChannelHooks,
    private readonly events: SessionEvents,
  ) {}

  /**
   * Subscribes a session at its request, if its rights and the hooks allow it.
   *
   * @throws GatehouseError as Channels.subscribe, UNAUTHENTICATED or FORBIDDEN, and any error of a hook
   */
  async admit(session: Session, channel: Channel, options: SubscribeOptions): Promise<Subscribed> {
    let { principal } = session;
    await this.demand(session, channel, options);
    const subscribed = await this.channels.subscribe(session, channel, { ...options, isByRight: true });
    // The rights may have changed while hooks and broker were asked. Nothing reaches the client before it goes live.
    while (session.principal !== principal) {
      principal = session.principal;
      await this.demand(session, channel, options).catch((error: unknown) => {
        this.channels.drop(session, channel);
        throw error;
      });
    }
    if (!this.channels.isSubscribed(session, channel)) throw new GatehouseError('NOT_SUBSCRIBED');
    return subscribed;
  }

  /**
   * Drops subscriptions that the session's rights do not allow: by the rules of namespaces at once, then by the hooks,
   * one after the other. A hook that fails drops its subscription too, because the earlier decision was about other
   * rights; the client can subscribe again from its position.
   *
   * @returns how many subscriptions, or their presence events, the session lost
   */
  async of(session: Session): Promise<number> {
    const subscribed = this.channels.byRight(session);
    const allowed = subscribed.filter((channel) => !this.isDroppedByRule(session, channel));
    let dropped = subscribed.length - allowed.length;
    for (const channel of allowed) if (this.losesPresence(session, channel)) dropped += 1;
    for (const channel of allowed) if (await this.isDroppedByHook(session, channel)) dropped += 1;
    return dropped;
  }

  private async demand(session: Session, channel: Channel, { presence }: SubscribeOptions): Promise<void> {
    demandSubscribe(session, channel, presence);
    await this.hooks.ask('subscribe', { session, channel });
  }

  private isDroppedByRule(session: Session, channel: Channel): boolean {
    const refusal = refusalOf(() => demandSubscribe(session, channel));
    return refusal !== undefined && this.drop(session, channel, refusal);
  }

  private losesPresence(session: Session, channel: Channel): boolean {
    const refusal = refusalOf(() => demandSubscribe(session, channel, true));
    if (refusal === undefined || !this.channels.dropPresence(session, channel)) return false;
    this.tell(session, channel, { lost: 'presence', ...refusal });
    return true;
  }

  private async isDroppedByHook(session: Session, channel: Channel): Promise<boolean> {
    try {
      await this.hooks.ask('subscribe', { session, channel });
      return false;
    } catch (error) {
      if (isFault(error)) this.events.emit('crashed', 'a hook that reviewed a subscription', error);
      return this.drop(session, channel, sayingOf(error));
    }
  }

  private drop(session: Session, channel: Channel, saying: Omit<Loss, 'lost'>): boolean {
    if (!this.channels.drop(session, channel)) return false;
    this.tell(session, channel, { lost: 'channel', ...saying });
    return true;
  }

  private tell(session: Session, { name }: Channel, loss: Loss): void {
    session.send({ type: 'unsubscribed', channel: name, data: loss });
    this.events.emit('dropped', session, name, loss.lost);
  }
}

function refusalOf(demand: () => void): Omit<Loss, 'lost'> | undefined {
  try {
    demand();
    return undefined;
  } catch (error) {
    return sayingOf(error);
  }
}

function sayingOf(error: unknown): Omit<Loss, 'lost'> {
  if (error instanceof GatehouseError) return { code: error.code, message: error.message };
  const code = isFault(error) ? 'INTERNAL_ERROR' : 'FORBIDDEN';
  return { code, message: ERRORS[code].message };
}

function isFault(error: unknown): boolean {
  if (error instanceof GatehouseError || error instanceof WsException) return false;
  return !(error instanceof HttpException) || error.getStatus() >= 500;
}

import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import {
  ChannelRequests,
  Channels,
  CurrentMessage,
  CurrentSession,
  Emits,
  RealtimeGateway,
  ReplayProtection,
  Reply,
  type Channel,
  type MessageContext,
  type Session,
} from 'gatehouse';
import { Publish, ReadHistory, ReadPresence, Subscribe, Unsubscribe } from './channels.messages.js';
import {
  ChannelGap,
  ChannelHistory,
  ChannelMembers,
  PresenceChange,
  Published,
  Subscription,
  SubscriptionLoss,
  Unsubscribed,
} from './channels.replies.js';

/** Publications in the reply to a `history` request without `limit`. For the next ones, set `since` to the last. */
const DEFAULT_HISTORY_LIMIT = 100;

/** The clients' door to channels. */
@Emits('gap', ChannelGap)
@Emits('presence', PresenceChange)
@Emits('unsubscribed', SubscriptionLoss)
@RealtimeGateway()
export class ChannelsGateway {
  constructor(
    private readonly channels: Channels,
    private readonly requests: ChannelRequests,
    private readonly replays: ReplayProtection,
  ) {}

  @Reply(Subscription)
  @SubscribeMessage('subscribe')
  async subscribe(@MessageBody() body: Subscribe, @CurrentMessage() context: MessageContext): Promise<Subscription> {
    const request = withoutNulls(body);
    const { reply, bytes } = await this.requests.subscribe(context.session, request.channel, request);
    const { goLive, ...state } = reply;
    if (bytes > 0) context.chargeReply(bytes);
    context.afterReply(goLive);
    return state;
  }

  @Reply(Unsubscribed)
  @SubscribeMessage('unsubscribe')
  async unsubscribe(@MessageBody() request: Unsubscribe, @CurrentSession() session: Session): Promise<Unsubscribed> {
    const channel = this.channels.named(request.channel);
    await this.channels.unsubscribe(session, channel);
    return { channel: channel.name };
  }

  @Reply(Published)
  @SubscribeMessage('publish')
  publish(@MessageBody() request: Publish, @CurrentMessage() context: MessageContext): Promise<Published> {
    const channel = this.requests.demandPublish(request.channel, context);
    if (!channel.namespace.replayProtection) return this.publishIn(channel, request, context);
    // If it is unknown whether it was published, the same key keeps a retry from publishing it twice.
    const { idempotencyKey = this.replays.fingerprintOf(context.message) } = withoutNulls(request);
    const once = Object.assign(request, { idempotencyKey });
    return this.replays.once(context, () => this.publishIn(channel, once, context)) as Promise<Published>;
  }

  @Reply(ChannelHistory)
  @SubscribeMessage('history')
  async history(
    @MessageBody() request: ReadHistory,
    @CurrentMessage() context: MessageContext,
  ): Promise<ChannelHistory> {
    const { channel, since, limit = DEFAULT_HISTORY_LIMIT, reverse } = withoutNulls(request);
    const { reply, bytes } = await this.requests.history(context.session, channel, { since, limit, reverse });
    context.chargeReply(bytes);
    return reply;
  }

  @Reply(ChannelMembers)
  @SubscribeMessage('presence')
  async presence(
    @MessageBody() request: ReadPresence,
    @CurrentMessage() context: MessageContext,
  ): Promise<ChannelMembers> {
    const { reply, bytes } = await this.requests.members(context.session, request.channel);
    context.chargeReply(bytes);
    return reply;
  }

  private async publishIn(channel: Channel, request: Publish, context: MessageContext): Promise<Published> {
    const { session } = context;
    const { data } = request;
    const { idempotencyKey, ttlMs, excludeSelf } = withoutNulls(request);
    const publication = { data, idempotencyKey, ttlMs, excludeSession: excludeSelf ? session.id : undefined };
    // Redis keeps the order, so publications of one client in a row need not wait for each other.
    const onSent = (): void => context.letNextBegin();
    const position = await this.requests.publish(channel, publication, { session, onSent });
    return { channel: channel.name, ...position };
  }
}

/** Null counts as absent in the fields of a request, as in the envelope. */
export function withoutNulls<T extends object>(request: T): T {
  // Most requests have none, and need no copy.
  if (!Object.values(request).includes(null)) return request;
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null)) as T;
}

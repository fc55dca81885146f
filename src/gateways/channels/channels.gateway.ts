import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { fingerprintOf } from '../../access/guards/replay-guard.js';
import { demandEncryption, demandPublish, demandRead } from '../../channels/channel-access.js';
import { ChannelHooks } from '../../channels/channel-hooks.js';
import type { Channel } from '../../channels/channel.js';
import { Channels } from '../../channels/channels.js';
import { show } from '../../channels/recovery/recovery.js';
import { SubscriptionReview } from '../../channels/subscription-review.js';
import { approximateBytes } from '../../cluster/bus/approximate-bytes.js';
import type { MessageContext } from '../../dispatch/calls/message-context.js';
import { CurrentMessage, CurrentSession } from '../../dispatch/calls/parameter-decorators.js';
import { RealtimeGateway } from '../../dispatch/realtime-gateway.js';
import { ReplayProtection } from '../../dispatch/calls/replay-protection.js';
import type { Session } from '../../sessions/session.js';
import { Publish, ReadHistory, ReadPresence, Subscribe, Unsubscribe } from './channels.messages.js';
import { PublishLimits } from './publish-limits.js';

/** Publications that a `history` request without `limit` brings; the next ones come with `since` set to the last. */
const DEFAULT_HISTORY_LIMIT = 100;

/** The clients' door to channels: holds each request against its namespace, then lets Channels do it. */
@RealtimeGateway()
export class ChannelsGateway {
  constructor(
    private readonly channels: Channels,
    private readonly hooks: ChannelHooks,
    private readonly review: SubscriptionReview,
    private readonly limits: PublishLimits,
    private readonly replays: ReplayProtection,
  ) {}

  @SubscribeMessage('subscribe')
  async subscribe(@MessageBody() body: Subscribe, @CurrentMessage() context: MessageContext) {
    const request = withoutNulls(body);
    const { session } = context;
    const channel = this.channels.named(request.channel);
    const { goLive, ...state } = await this.review.admit(session, channel, request);
    if (state.publications.length > 0) context.chargeReply(approximateBytes(state.publications));
    context.afterReply(goLive);
    return state;
  }

  @SubscribeMessage('unsubscribe')
  async unsubscribe(@MessageBody() request: Unsubscribe, @CurrentSession() session: Session) {
    const channel = this.channels.named(request.channel);
    await this.channels.unsubscribe(session, channel);
    return { channel: channel.name };
  }

  @SubscribeMessage('publish')
  publish(@MessageBody() request: Publish, @CurrentMessage() context: MessageContext): Promise<unknown> {
    const { session, bytes, message } = context;
    const channel = this.channels.named(request.channel);
    demandPublish(session, channel, this.channels.isSubscribed(session, channel));
    demandEncryption(channel, message);
    this.limits.demand(session, channel, bytes);
    if (!channel.namespace.replayProtection) return this.publishIn(channel, request, context);
    // Where it is unknown whether it was published, the same key keeps a retry from publishing it twice.
    const { idempotencyKey = fingerprintOf(message) } = withoutNulls(request);
    const once = Object.assign(request, { idempotencyKey });
    return this.replays.once(context, () => this.publishIn(channel, once, context));
  }

  @SubscribeMessage('history')
  async history(@MessageBody() request: ReadHistory, @CurrentMessage() context: MessageContext) {
    const { session } = context;
    const { channel: name, since, limit = DEFAULT_HISTORY_LIMIT, reverse } = withoutNulls(request);
    const channel = this.channels.named(name);
    demandRead(session, channel, 'history');
    await this.demandVisible(session, channel);
    const { top, publications } = await this.channels.historySince(channel, since, { limit, reverse });
    context.chargeReply(publications.reduce((sum, { bytes }) => sum + bytes, 0));
    return { ...top, publications: publications.map(show) };
  }

  @SubscribeMessage('presence')
  async presence(@MessageBody() request: ReadPresence, @CurrentMessage() context: MessageContext) {
    const { session } = context;
    const channel = this.channels.named(request.channel);
    demandRead(session, channel, 'presence');
    await this.demandVisible(session, channel);
    const members = await this.channels.members(channel);
    context.chargeReply(approximateBytes(members));
    return { members, count: members.length };
  }

  private async publishIn(channel: Channel, request: Publish, context: MessageContext) {
    const { session } = context;
    const { data } = request;
    await this.hooks.ask('publish', { session, channel, data });
    const { idempotencyKey, ttlMs, excludeSelf } = withoutNulls(request);
    const origin = { from: session.publisher, excludeSession: excludeSelf ? session.id : undefined };
    const publishing = this.channels.publish(channel, { data, idempotencyKey, ttlMs, ...origin });
    // Redis keeps the order, so a burst of one client need not wait for an answer each.
    context.letNextBegin();
    const { position } = await publishing;
    return { channel: channel.name, ...position };
  }

  /** Whom the hooks keep out of a channel must not read it either. */
  private async demandVisible(session: Session, channel: Channel): Promise<void> {
    if (!this.channels.isSubscribed(session, channel)) await this.hooks.ask('subscribe', { session, channel });
  }
}

/** Null counts as absent in the fields of a request, as it does in the envelope. */
function withoutNulls<T extends object>(request: T): T {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null)) as T;
}

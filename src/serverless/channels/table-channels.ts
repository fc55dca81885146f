import { Injectable } from '@nestjs/common';
import { ChannelHub } from '../../channels/channel-hub.js';
import { channelNamed, type Channel } from '../../channels/channel.js';
import { Channels } from '../../channels/channels.js';
import { ChannelsSettings } from '../../channels/channels-settings.js';
import { presenceChannelOf, PresenceTracker } from '../../channels/presence/presence-tracker.js';
import { messagesOf } from '../../channels/pushes.js';
import type { Recovery } from '../../channels/recovery/recovery-reply.js';
import { continuation, isFresh } from '../../channels/recovery/recovery.js';
import type { Subscribed, SubscribeOptions } from '../../channels/subscribe-options.js';
import type { History, HistoryQuery } from '../../cluster/ports/broker.js';
import { isContinuedBy, knownSeq } from '../../cluster/ports/continuity.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { SessionEvents } from '../../sessions/session-events.js';
import type { Session } from '../../sessions/session.js';
import type { Member } from '../connections/subscriptions-table.js';
import { PostedSession } from '../connections/posted-session.js';
import { absent } from '../engine/absent-stores.js';
import { ServerlessHost } from '../host.js';
import { Invocation } from '../invocation.js';

/** Approximate bytes of publications in one reply, which must fit into one post with room for what JSON escapes. */
const MAX_REPLY_BYTES = 65_536;

/**
 * Channels whose subscriptions are rows. A subscription outlives the invocation that makes it, and ends with its
 * connection. Publications are posted by the invocation that publishes.
 */
@Injectable()
export class TableChannels extends Channels {
  constructor(
    private readonly options: ChannelsSettings,
    local: ChannelHub,
    private readonly tracker: PresenceTracker,
    private readonly sessionEvents: SessionEvents,
    private readonly host: ServerlessHost,
  ) {
    super(options, local, tracker, sessionEvents);
  }

  override async subscribe(session: Session, channel: Channel, options: SubscribeOptions = {}): Promise<Subscribed> {
    const posted = postedOf(session);
    if (channel.namespace.state !== undefined) throw absent('state channels');
    this.demandPlace(posted, channel);
    try {
      await this.enter(posted, channel, options);
      const recovery = await this.recover(channel, options, session.id);
      await this.tracker.enter(session, channel);
      if (options.since) this.sessionEvents.emit('recovered', recovery.recovered ? 'recovered' : 'gap');
      return { channel: channel.name, ...recovery, goLive: () => this.catchUp(posted, channel, recovery) };
    } catch (error) {
      await this.leave(posted, channel).catch(() => Invocation.current.outcomes.add('rows_left'));
      throw error;
    }
  }

  override async unsubscribe(session: Session, channel: Channel): Promise<void> {
    if (!this.isSubscribed(session, channel)) throw new GatehouseError('NOT_SUBSCRIBED');
    await this.leave(postedOf(session), channel);
    await this.tracker.leave(session, channel);
  }

  override drop(session: Session, channel: Channel): boolean {
    if (!this.isSubscribed(session, channel)) return false;
    const leaving = this.leave(postedOf(session), channel).then(() => this.tracker.leave(session, channel));
    Invocation.current.track('an unsubscribe', leaving);
    return true;
  }

  override dropPresence(session: Session, channel: Channel): boolean {
    const posted = postedOf(session);
    const mark = posted.channels.get(channel.name);
    if (mark?.presence !== true) return false;
    const rest = { ...mark, presence: false };
    posted.channels.set(channel.name, rest);
    const { connections, subscriptions } = this.host;
    const leaving = Promise.all([
      connections.mark(session.id, channel.name, rest),
      subscriptions.remove(presenceChannelOf(channel), memberOf(session)),
    ]);
    Invocation.current.track('the end of presence events', leaving);
    return true;
  }

  override state(): never {
    throw absent('state channels');
  }

  override byRight(session: Session): readonly Channel[] {
    const marks = [...postedOf(session).channels].filter(([, { byRight }]) => byRight);
    return marks.flatMap(([name]) => this.known(name));
  }

  override isSubscribed(session: Session, { name }: Channel): boolean {
    return postedOf(session).channels.has(name);
  }

  /** Everything that is read here goes into one reply. */
  override history(channel: Channel, query: HistoryQuery = {}): Promise<History> {
    return super.history(channel, { ...query, maxBytes: Math.min(query.maxBytes ?? Infinity, MAX_REPLY_BYTES) });
  }

  private demandPlace({ channels }: PostedSession, { name }: Channel): void {
    const { maxPerSession } = this.options;
    const isFull = maxPerSession > 0 && channels.size >= maxPerSession;
    if (isFull && !channels.has(name)) throw new GatehouseError('CHANNEL_LIMIT_REACHED');
  }

  /** The row of the connection first: what it names is deleted with it. */
  private async enter(session: PostedSession, channel: Channel, options: SubscribeOptions): Promise<void> {
    const { connections, subscriptions } = this.host;
    const presence = options.presence === true && channel.namespace.joinLeave;
    const mark = { byRight: options.isByRight ?? false, presence };
    if (!(await connections.mark(session.id, channel.name, mark))) throw new GatehouseError('NOT_SUBSCRIBED');
    session.channels.set(channel.name, mark);
    const member = memberOf(session);
    await subscriptions.add(channel.name, member, session.connectedAt);
    if (presence) await subscriptions.add(presenceChannelOf(channel), member, session.connectedAt);
  }

  /** The rows of the channel first: nothing is posted to whoever has left. */
  private async leave(session: PostedSession, channel: Channel): Promise<void> {
    const { connections, subscriptions } = this.host;
    const presence = session.channels.get(channel.name)?.presence ?? false;
    session.channels.delete(channel.name);
    const member = memberOf(session);
    await subscriptions.remove(channel.name, member);
    if (presence) await subscriptions.remove(presenceChannelOf(channel), member);
    await connections.unmark(session.id, channel.name);
  }

  /** After the row is written: what is published from then on is posted, and may come twice. */
  private async recover(channel: Channel, options: SubscribeOptions, sessionId: string): Promise<Recovery> {
    const { since, previousSession } = options;
    if (channel.namespace.history === undefined) return { recovered: false, publications: [] };
    const position = await this.host.engine.broker.position(channel.name);
    if (since === undefined) return { ...position, recovered: false, publications: [] };
    const history = await this.historyAfter(channel, since);
    const own = new Set([sessionId, previousSession]);
    return continuation(
      since,
      history,
      ({ excludeSession }) => excludeSession === undefined || !own.has(excludeSession),
    );
  }

  private async historyAfter(channel: Channel, since: NonNullable<SubscribeOptions['since']>): Promise<History> {
    const history = await this.history(channel, { afterSeq: since.seq });
    if (isContinuedBy(since, history)) return history;
    return this.history(channel, { afterSeq: knownSeq(since, history) });
  }

  /**
   * What was published between the read and the reply may have reached the client before it knew that it is subscribed.
   * It is posted once more, behind the reply.
   */
  private catchUp(session: PostedSession, channel: Channel, { epoch, seq }: Recovery): void {
    if (epoch === undefined || seq === undefined) return;
    session.posted.after('what was published during a subscribe', async () => {
      const { top, publications } = await this.history(channel, { afterSeq: seq });
      if (top.epoch !== epoch) return;
      const { render } = messagesOf(channel);
      const wanted = publications.filter(({ excludeSession }) => excludeSession !== session.id);
      for (const publication of wanted.filter(isFresh)) session.send(render(publication, epoch, channel));
    });
  }

  /** Nothing if its namespace is not configured any more. */
  private known(name: string): readonly Channel[] {
    try {
      return [channelNamed(name, this.options.namespaces)];
    } catch {
      return [];
    }
  }
}

/** @throws Error for a session that no event of the WebSocket API has made */
function postedOf(session: Session): PostedSession {
  if (session instanceof PostedSession) return session;
  throw new Error('The session does not belong to an event of the WebSocket API');
}

export function memberOf({ id, userId }: Session): Member {
  return { connectionId: id, userId };
}

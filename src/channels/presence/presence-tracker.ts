import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Broker, type ChannelName } from '../../cluster/ports/broker.js';
import { PresenceStore, type Presence } from '../../cluster/ports/presence-store.js';
import { SessionEvents } from '../../sessions/session-events.js';
import type { Session } from '../../sessions/session.js';
import { channelNamed, type Channel } from '../channel.js';
import { ChannelsSettings } from '../channels-settings.js';
import { ReadTurns } from '../../cluster/ports/read-turns.js';
import { DisconnectedMembers } from './disconnected-members.js';
import { PresenceRate } from './presence-rate.js';
import { PendingPresenceEvents, type PresenceEvent, type PendingPresenceEvent } from './pending-presence-events.js';

/**
 * How long a user stays present after its connection broke. A reconnect within this time is neither a leave nor a join.
 */
export const PRESENCE_GRACE_MS = 10_000;
const TICK_MS = 500;
/** Leaves of a lost node are published in batches, so that they do not crowd out publications. */
const TOLD_AT_ONCE = 100;

/** Steps of reads that run at one time on a node; the others wait in the order in which they came. */
const MAX_READS = 16;

/** A session has left a channel for good: its grace period is over. */
export interface Departure {
  readonly channel: Channel;
  readonly userId: string;
  /** Undefined if the user was lost with its node, and the session is not known here. */
  readonly sessionId: string | undefined;
  /** Whether the user has no other session in the channel. */
  readonly isLast: boolean;
}

/** What travels to the subscribers of a channel's presence. */
export interface PresenceNews {
  readonly event: PresenceEvent;
  readonly member: { readonly userId: string };
}

/** Sessions in a channel, as the `presence` reply lists them. */
export interface MemberList {
  readonly members: readonly Presence[];
  /** How many are listed. */
  readonly count: number;
  /** There are more. Absent otherwise. */
  readonly truncated?: true;
}

/** The companion channel that carries the join and leave events of a channel. No client can name it. */
export function presenceChannelOf({ name }: Channel): ChannelName {
  return `@presence:${name}` as ChannelName;
}

/** Tracks who is in which channel, and publishes the first join and the last leave of a user. */
@Injectable()
export class PresenceTracker implements OnApplicationShutdown {
  private readonly disconnected = new DisconnectedMembers();
  private readonly pendingEvents = new PendingPresenceEvents();
  private readonly rate: PresenceRate;
  private readonly turns = new ReadTurns(MAX_READS);
  private isTelling = false;
  private isClosed = false;
  private readonly departureListeners: ((departure: Departure) => void)[] = [];
  /** Runs while somebody is about to leave, or an event waits. */
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: PresenceStore,
    private readonly broker: Broker,
    private readonly settings: ChannelsSettings,
    private readonly events: SessionEvents,
  ) {
    this.rate = new PresenceRate(settings.presenceRate);
    store.listen({
      lost: (name, userId) => this.tellLater(name, 'leave', userId),
      back: (name, userId) => this.tellLater(name, 'join', userId),
    });
  }

  onApplicationShutdown(): void {
    this.isClosed = true;
    clearInterval(this.timer);
  }

  onDeparture(listener: (departure: Departure) => void): void {
    this.departureListeners.push(listener);
  }

  async enter(session: Session, channel: Channel): Promise<void> {
    if (!isTracked(channel)) return;
    const presence = presenceOf(session);
    // Before the store is asked: a session that closes meanwhile is a member.
    this.disconnected.takeOf(channel, presence, 'this');
    const hasCome = await this.store.add(channel.name, presence);
    if (hasCome) await this.tell({ channel, event: 'join', userId: presence.userId, session: presence.sessionId });
    // The user is back, so its broken sessions need not stay present.
    for (const member of this.disconnected.takeOf(channel, presence, 'others')) await this.letGoOf(member);
  }

  /**
   * The client has left. It stays present a little longer if the store cannot be reached, or if its user joins and
   * leaves too often. If it is back by then, no event is published.
   */
  async leave(session: Session, channel: Channel): Promise<void> {
    if (!isTracked(channel)) return;
    const presence = presenceOf(session);
    if (this.rate.admits(channel, presence, performance.now())) await this.letGoOf({ channel, presence });
    else this.haunt(channel, presence);
  }

  /** The connection is gone. Its user may be back in a moment. */
  leaveLater(session: Session, channel: Channel): void {
    if (isTracked(channel)) this.haunt(channel, presenceOf(session));
  }

  members(channel: Channel, limit?: number): Promise<readonly Presence[]> {
    return this.store.members(channel.name, { limit, inTurn: (step) => this.turns.take(step) });
  }

  /** @param limit as the caller wishes; MAX_PRESENCE_MEMBERS is the most */
  async memberList(channel: Channel, limit = Infinity): Promise<MemberList> {
    const { maxPresenceMembers } = this.settings;
    const max = Math.min(limit, maxPresenceMembers > 0 ? maxPresenceMembers : Infinity);
    // One more tells whether there are more.
    const found = await this.members(channel, max + 1);
    if (found.length <= max) return { members: found, count: found.length };
    return { members: found.slice(0, max), count: max, truncated: true };
  }

  /** Removes members whose grace period has ended at `now`, on the performance.now() clock. */
  async letGo(now: number): Promise<void> {
    await Promise.all(this.disconnected.takeDue(now).map((member) => this.letGoOf(member)));
  }

  private async letGoOf({ channel, presence }: { readonly channel: Channel; readonly presence: Presence }) {
    try {
      const hasGone = await this.store.remove(channel.name, presence);
      const { sessionId, userId } = presence;
      for (const listener of this.departureListeners) listener({ channel, userId, sessionId, isLast: hasGone });
      if (hasGone) await this.tell({ channel, event: 'leave', userId });
    } catch {
      // The store cannot be reached. Nobody must stay present forever, so the removal is tried again after another
      // grace period.
      this.haunt(channel, presence);
    }
  }

  private haunt(channel: Channel, presence: Presence): void {
    this.disconnected.add({ channel, presence, endsAt: performance.now() + PRESENCE_GRACE_MS });
    this.wake();
  }

  private wake(): void {
    if (!this.isClosed) this.timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  private tick(): void {
    void this.letGo(performance.now());
    void this.tellUntold();
    if (this.disconnected.size > 0 || this.pendingEvents.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tryLater(news: PendingPresenceEvent): void {
    this.pendingEvents.add(news);
    this.wake();
  }

  private observe({ channel, event, userId }: Pick<PendingPresenceEvent, 'channel' | 'event' | 'userId'>): void {
    this.events.emit(event === 'join' ? 'joined' : 'left', channel.name, userId);
  }

  /** Does not reject: what cannot be told now is told later. */
  private async tell(news: PendingPresenceEvent): Promise<void> {
    this.observe(news);
    if (!news.channel.namespace.joinLeave || this.pendingEvents.settles(news)) return;
    if (await this.failsToPublish(news)) this.tryLater(news);
  }

  private tellLater(name: ChannelName, event: PresenceEvent, userId: string): void {
    const channel = this.find(name);
    if (channel !== undefined) this.observe({ channel, event, userId });
    if (channel !== undefined && event === 'leave') {
      for (const listener of this.departureListeners) listener({ channel, userId, sessionId: undefined, isLast: true });
    }
    if (!channel?.namespace.joinLeave) return;
    this.pendingEvents.add({ channel, event, userId });
    void this.tellUntold();
  }

  /** Undefined if a node with other namespaces has entered it. */
  private find(name: ChannelName): Channel | undefined {
    try {
      return channelNamed(name, this.settings.namespaces);
    } catch {
      return undefined;
    }
  }

  /** Publishes in order. Failed events wait for the next tick. */
  private async tellUntold(): Promise<void> {
    if (this.isTelling) return;
    this.isTelling = true;
    let hasFailed = false;
    while (this.pendingEvents.size > 0 && !hasFailed) {
      const failed = await Promise.all(this.pendingEvents.take(TOLD_AT_ONCE).map((news) => this.failsToPublish(news)));
      for (const news of failed) {
        if (news === undefined) continue;
        this.tryLater(news);
        hasFailed = true;
      }
    }
    this.isTelling = false;
  }

  /** Returns the events that could not be published. */
  private async failsToPublish(news: PendingPresenceEvent): Promise<PendingPresenceEvent | undefined> {
    const data: PresenceNews = { event: news.event, member: { userId: news.userId } };
    const draft = { data, from: undefined, excludeSession: news.session, expiresAt: undefined };
    const options = { history: undefined, idempotencyKey: undefined, isForAllNodes: true };
    return this.broker.publish(presenceChannelOf(news.channel), draft, options).then(
      () => undefined,
      () => news,
    );
  }
}

function isTracked({ namespace }: Channel): boolean {
  const ownsKeys = namespace.state !== undefined && namespace.state.ownKey !== 'none';
  return namespace.presence || namespace.joinLeave || ownsKeys;
}

function presenceOf({ id, userId }: Session): Presence {
  return { sessionId: id, userId };
}

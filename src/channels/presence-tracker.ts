import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { BROKER, type Broker, type ChannelName } from '../cluster/broker.js';
import { PRESENCE_STORE, type Presence, type PresenceStore } from '../cluster/presence-store.js';
import type { Session } from '../sessions/session.js';
import type { Channel } from './channel.js';

/** How long a user whose connection broke is still counted: a reconnect within it is neither a leave nor a join. */
export const PRESENCE_GRACE_MS = 10_000;
const TICK_MS = 500;

interface Leaving {
  readonly channel: Channel;
  readonly presence: Presence;
  readonly at: number;
}

export type PresenceEvent = 'join' | 'leave';

/** What travels to the subscribers of a channel's presence. */
export interface PresenceNews {
  readonly event: PresenceEvent;
  readonly member: { readonly userId: string };
}

/** The companion channel that carries the join and leave events of a channel. No client can name it. */
export function presenceChannelOf({ name }: Channel): ChannelName {
  return `@presence:${name}` as ChannelName;
}

/** Keeps who is in which channel, and tells of a user's first session that comes and last that goes. */
@Injectable()
export class PresenceTracker implements OnApplicationShutdown {
  /** Ordered by time: all wait equally long. */
  private readonly leaving = new Map<string, Leaving>();
  private readonly timer = setInterval(() => this.letGo(performance.now()), TICK_MS).unref();

  constructor(
    @Inject(PRESENCE_STORE) private readonly store: PresenceStore,
    @Inject(BROKER) private readonly broker: Broker,
  ) {}

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  async enter(session: Session, channel: Channel): Promise<void> {
    if (!isTracked(channel)) return;
    const presence = presenceOf(session);
    const count = await this.store.add(channel.name, presence);
    if (count === 1) await this.tell(channel, 'join', presence);
    await this.dropGhosts(channel, presence);
  }

  /** The client said that it leaves. */
  async leave(session: Session, channel: Channel): Promise<void> {
    if (isTracked(channel)) await this.remove(channel, presenceOf(session));
  }

  /** The connection is gone; its user may be back in a moment. */
  leaveLater(session: Session, channel: Channel): void {
    if (!isTracked(channel)) return;
    const presence = presenceOf(session);
    this.leaving.set(ghostKey(channel, presence), { channel, presence, at: performance.now() + PRESENCE_GRACE_MS });
  }

  members(channel: Channel): Promise<readonly Presence[]> {
    return this.store.members(channel.name);
  }

  /** Removes those whose grace has ended at `now`, on the performance.now() clock. */
  letGo(now: number): void {
    for (const [key, { channel, presence, at }] of this.leaving) {
      if (at > now) return;
      this.leaving.delete(key);
      void this.remove(channel, presence).catch(() => {});
    }
  }

  /** The user is back, so the session that broke need not be shown any longer. */
  private async dropGhosts(channel: Channel, { userId }: Presence): Promise<void> {
    for (const [key, ghost] of this.leaving) {
      if (ghost.channel.name !== channel.name || ghost.presence.userId !== userId) continue;
      this.leaving.delete(key);
      await this.store.remove(channel.name, ghost.presence);
    }
  }

  private async remove(channel: Channel, presence: Presence): Promise<void> {
    const left = await this.store.remove(channel.name, presence);
    if (left === 0) await this.tell(channel, 'leave', presence);
  }

  private async tell(channel: Channel, event: PresenceEvent, { userId }: Presence): Promise<void> {
    if (!channel.namespace.joinLeave) return;
    const data: PresenceNews = { event, member: { userId } };
    const draft = { data, from: undefined, excludeSession: undefined, expiresAt: undefined };
    await this.broker.publish(presenceChannelOf(channel), draft, { history: undefined, idempotencyKey: undefined });
  }
}

function isTracked({ namespace }: Channel): boolean {
  return namespace.presence || namespace.joinLeave;
}

function presenceOf({ id, userId }: Session): Presence {
  return { sessionId: id, userId };
}

function ghostKey({ name }: Channel, { sessionId }: Presence): string {
  return `${sessionId} ${name}`;
}

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { BROKER, type Broker, type ChannelName } from '../cluster/broker.js';
import { PRESENCE_STORE, type Presence, type PresenceStore } from '../cluster/presence-store.js';
import type { Session } from '../sessions/session.js';
import type { Channel } from './channel.js';
import { Ghosts } from './ghosts.js';

/** How long a user whose connection broke is still counted: a reconnect within it is neither a leave nor a join. */
export const PRESENCE_GRACE_MS = 10_000;
const TICK_MS = 500;

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
  private readonly ghosts = new Ghosts();
  private readonly timer = setInterval(() => void this.letGo(performance.now()), TICK_MS).unref();

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
    // Before the store is asked: a session that closes meanwhile is a ghost by right.
    this.ghosts.takeOf(channel, presence, 'this');
    const hasCome = await this.store.add(channel.name, presence);
    if (hasCome) await this.tell(channel, 'join', presence);
    // The user is back, so the sessions that broke need not be shown any longer.
    for (const ghost of this.ghosts.takeOf(channel, presence, 'others')) await this.letGoOf(ghost);
  }

  /** The client said that it leaves. */
  async leave(session: Session, channel: Channel): Promise<void> {
    if (isTracked(channel)) await this.remove(channel, presenceOf(session));
  }

  /** The connection is gone; its user may be back in a moment. */
  leaveLater(session: Session, channel: Channel): void {
    if (isTracked(channel)) this.haunt(channel, presenceOf(session));
  }

  members(channel: Channel): Promise<readonly Presence[]> {
    return this.store.members(channel.name);
  }

  /** Removes those whose grace has ended at `now`, on the performance.now() clock. */
  async letGo(now: number): Promise<void> {
    await Promise.all(this.ghosts.takeDue(now).map((ghost) => this.letGoOf(ghost)));
  }

  private async letGoOf({ channel, presence }: { readonly channel: Channel; readonly presence: Presence }) {
    try {
      await this.remove(channel, presence);
    } catch {
      // The store is away. Nobody is to be shown for ever, so it is tried again after another grace.
      this.haunt(channel, presence);
    }
  }

  private haunt(channel: Channel, presence: Presence): void {
    this.ghosts.add({ channel, presence, endsAt: performance.now() + PRESENCE_GRACE_MS });
  }

  private async remove(channel: Channel, presence: Presence): Promise<void> {
    const hasGone = await this.store.remove(channel.name, presence);
    if (hasGone) await this.tell(channel, 'leave', presence);
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

import type { Channel } from '../channel.js';

export type PresenceEvent = 'join' | 'leave';

/** That a user has come or gone, and nobody has been told yet. */
export interface PendingPresenceEvent {
  readonly channel: Channel;
  readonly event: PresenceEvent;
  readonly userId: string;
  /** The session that has come: it is not told of itself. */
  readonly session?: string;
}

/** Beyond this many the oldest is never told: who asks for the members knows better. */
const MAX_UNTOLD = 100_000;

/** What is to be told of presence, in order; at most one thing of a user in a channel. */
export class PendingPresenceEvents {
  private readonly byUser = new Map<string, PendingPresenceEvent>();

  get size(): number {
    return this.byUser.size;
  }

  /** Whether nothing more is to be told: it waits already, or what waited is undone before anybody heard of it. */
  settles(news: PendingPresenceEvent): boolean {
    const waiting = this.byUser.get(keyOf(news));
    if (waiting !== undefined && waiting.event !== news.event) this.byUser.delete(keyOf(news));
    return waiting !== undefined;
  }

  add(news: PendingPresenceEvent): void {
    if (this.settles(news)) return;
    this.byUser.set(keyOf(news), news);
    const [oldest] = this.byUser.keys();
    if (this.byUser.size > MAX_UNTOLD && oldest !== undefined) this.byUser.delete(oldest);
  }

  /** Takes out the oldest. */
  take(count: number): readonly PendingPresenceEvent[] {
    const taken: PendingPresenceEvent[] = [];
    for (const [key, news] of this.byUser) {
      if (taken.length === count) break;
      taken.push(news);
      this.byUser.delete(key);
    }
    return taken;
  }
}

function keyOf({ channel, userId }: PendingPresenceEvent): string {
  return `${channel.name}\0${userId}`;
}

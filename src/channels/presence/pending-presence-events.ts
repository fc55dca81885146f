import type { Channel } from '../channel.js';

export type PresenceEvent = 'join' | 'leave';

/** A join or leave of a user that has not been published yet. */
export interface PendingPresenceEvent {
  readonly channel: Channel;
  readonly event: PresenceEvent;
  readonly userId: string;
  /** The session that joined, which does not get its own event. */
  readonly session?: string;
}

/** Beyond this number, the oldest event is never published. Clients can still ask for the members. */
const MAX_UNTOLD = 100_000;

/** Presence events to publish, in order, at most one per user and channel. */
export class PendingPresenceEvents {
  private readonly byUser = new Map<string, PendingPresenceEvent>();

  get size(): number {
    return this.byUser.size;
  }

  /** Whether nothing needs to be published: the event waits already, or it cancels one that waits. */
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

  /** Removes the oldest event. */
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

import type { Presence } from '../../cluster/ports/presence-store.js';
import type { Channel } from '../channel.js';

/** A session whose connection broke, and which is shown in a channel until its grace ends. */
export interface Ghost {
  readonly channel: Channel;
  readonly presence: Presence;
  /** When the grace ends, on the performance.now() clock. */
  readonly endsAt: number;
}

/** The ghosts of a node, found by the end of their grace and by user. */
export class Ghosts {
  /** The soonest to end first: all are given equally long. */
  private readonly byTime = new Set<Ghost>();
  private readonly byUser = new Map<string, Set<Ghost>>();

  get size(): number {
    return this.byTime.size;
  }

  add(ghost: Ghost): void {
    const key = keyOf(ghost.channel, ghost.presence);
    const ofUser = this.byUser.get(key) ?? new Set();
    this.byUser.set(key, ofUser.add(ghost));
    this.byTime.add(ghost);
  }

  /** Takes out those whose grace has ended. */
  takeDue(now: number): readonly Ghost[] {
    const due: Ghost[] = [];
    for (const ghost of this.byTime) {
      if (ghost.endsAt > now) break;
      due.push(ghost);
    }
    due.forEach((ghost) => this.remove(ghost));
    return due;
  }

  /** Takes out those that one user has in a channel: of this session, or of all others. */
  takeOf(channel: Channel, { userId, sessionId }: Presence, which: 'this' | 'others'): readonly Ghost[] {
    const ofUser = [...(this.byUser.get(keyOf(channel, { userId })) ?? [])];
    const taken = ofUser.filter(({ presence }) => (presence.sessionId === sessionId) === (which === 'this'));
    taken.forEach((ghost) => this.remove(ghost));
    return taken;
  }

  private remove(ghost: Ghost): void {
    const key = keyOf(ghost.channel, ghost.presence);
    this.byTime.delete(ghost);
    const ofUser = this.byUser.get(key);
    ofUser?.delete(ghost);
    if (ofUser?.size === 0) this.byUser.delete(key);
  }
}

function keyOf({ name }: Channel, { userId }: Pick<Presence, 'userId'>): string {
  return `${name}\0${userId}`;
}

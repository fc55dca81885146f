import type { Presence } from '../../cluster/ports/presence-store.js';
import type { Channel } from '../channel.js';

/** A session whose connection broke, and which is shown in a channel until its grace ends. */
export interface DisconnectedMember {
  readonly channel: Channel;
  readonly presence: Presence;
  /** When the grace ends, on the performance.now() clock. */
  readonly endsAt: number;
}

/** The disconnected members of a node, found by the end of their grace and by user. */
export class DisconnectedMembers {
  /** The soonest to end first: all are given equally long. */
  private readonly byTime = new Set<DisconnectedMember>();
  private readonly byUser = new Map<string, Set<DisconnectedMember>>();

  get size(): number {
    return this.byTime.size;
  }

  add(member: DisconnectedMember): void {
    const key = keyOf(member.channel, member.presence);
    const ofUser = this.byUser.get(key) ?? new Set();
    this.byUser.set(key, ofUser.add(member));
    this.byTime.add(member);
  }

  /** Takes out those whose grace has ended. */
  takeDue(now: number): readonly DisconnectedMember[] {
    const due: DisconnectedMember[] = [];
    for (const member of this.byTime) {
      if (member.endsAt > now) break;
      due.push(member);
    }
    due.forEach((member) => this.remove(member));
    return due;
  }

  /** Takes out those that one user has in a channel: of this session, or of all others. */
  takeOf(channel: Channel, { userId, sessionId }: Presence, which: 'this' | 'others'): readonly DisconnectedMember[] {
    const ofUser = [...(this.byUser.get(keyOf(channel, { userId })) ?? [])];
    const taken = ofUser.filter(({ presence }) => (presence.sessionId === sessionId) === (which === 'this'));
    taken.forEach((member) => this.remove(member));
    return taken;
  }

  private remove(member: DisconnectedMember): void {
    const key = keyOf(member.channel, member.presence);
    this.byTime.delete(member);
    const ofUser = this.byUser.get(key);
    ofUser?.delete(member);
    if (ofUser?.size === 0) this.byUser.delete(key);
  }
}

function keyOf({ name }: Channel, { userId }: Pick<Presence, 'userId'>): string {
  return `${name}\0${userId}`;
}

import type { Presence } from '../../cluster/ports/presence-store.js';
import type { Channel } from '../channel.js';

/** A session whose connection broke, and which stays present until its grace period ends. */
export interface DisconnectedMember {
  readonly channel: Channel;
  readonly presence: Presence;
  /** End of the grace period, on the performance.now() clock. */
  readonly endsAt: number;
}

/** The disconnected members of a node, by the end of their grace period and by user. */
export class DisconnectedMembers {
  /** Soonest end first: all get the same grace period. */
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

  /** Removes members whose grace period has ended. */
  takeDue(now: number): readonly DisconnectedMember[] {
    const due: DisconnectedMember[] = [];
    for (const member of this.byTime) {
      if (member.endsAt > now) break;
      due.push(member);
    }
    due.forEach((member) => this.remove(member));
    return due;
  }

  /** Removes the members of one user in a channel: this session, or all others. */
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

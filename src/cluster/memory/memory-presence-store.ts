import type { ChannelName } from '../ports/broker.js';
import type { MembersQuery, Presence, PresenceStore } from '../ports/presence-store.js';

interface Members {
  readonly bySession: Map<string, Presence>;
  /** Number of sessions of each user. */
  readonly byUser: Map<string, number>;
}

/** Presence on a single node. */
export class MemoryPresenceStore implements PresenceStore {
  private readonly channels = new Map<ChannelName, Members>();

  /** The number of channels that take memory. */
  get size(): number {
    return this.channels.size;
  }

  /** A single node never loses another one. */
  listen(): void {}

  async add(channel: ChannelName, presence: Presence): Promise<boolean> {
    const members = this.channels.get(channel) ?? { bySession: new Map(), byUser: new Map() };
    this.channels.set(channel, members);
    const { sessionId, userId } = presence;
    if (members.bySession.has(sessionId)) return false;
    members.bySession.set(sessionId, presence);
    const count = (members.byUser.get(userId) ?? 0) + 1;
    members.byUser.set(userId, count);
    return count === 1;
  }

  async remove(channel: ChannelName, { sessionId, userId }: Presence): Promise<boolean> {
    const members = this.channels.get(channel);
    if (!members?.bySession.delete(sessionId)) return false;
    if (members.bySession.size === 0) this.channels.delete(channel);
    const left = (members.byUser.get(userId) ?? 1) - 1;
    if (left > 0) members.byUser.set(userId, left);
    else members.byUser.delete(userId);
    return left === 0;
  }

  async members(channel: ChannelName, { limit = Infinity }: MembersQuery = {}): Promise<readonly Presence[]> {
    const members: Presence[] = [];
    for (const presence of this.channels.get(channel)?.bySession.values() ?? []) {
      if (members.length >= limit) break;
      members.push(presence);
    }
    return members;
  }
}

import type { ChannelName } from './broker.js';
import type { Presence, PresenceStore } from './presence-store.js';

interface Members {
  readonly bySession: Map<string, Presence>;
  /** How many sessions each user has. */
  readonly byUser: Map<string, number>;
}

/** Presence of a single node. */
export class MemoryPresenceStore implements PresenceStore {
  private readonly channels = new Map<ChannelName, Members>();

  add(channel: ChannelName, presence: Presence): Promise<number> {
    const members = this.channels.get(channel) ?? { bySession: new Map(), byUser: new Map() };
    this.channels.set(channel, members);
    const { sessionId, userId } = presence;
    const count = (members.byUser.get(userId) ?? 0) + (members.bySession.has(sessionId) ? 0 : 1);
    members.bySession.set(sessionId, presence);
    members.byUser.set(userId, count);
    return Promise.resolve(count);
  }

  remove(channel: ChannelName, { sessionId, userId }: Presence): Promise<number> {
    const members = this.channels.get(channel);
    if (!members?.bySession.delete(sessionId)) return Promise.resolve(members?.byUser.get(userId) ?? 0);
    const count = (members.byUser.get(userId) ?? 1) - 1;
    if (count > 0) members.byUser.set(userId, count);
    else members.byUser.delete(userId);
    if (members.bySession.size === 0) this.channels.delete(channel);
    return Promise.resolve(count);
  }

  members(channel: ChannelName): Promise<readonly Presence[]> {
    return Promise.resolve([...(this.channels.get(channel)?.bySession.values() ?? [])]);
  }
}

import { LocalPresence, type LocalEntry } from '../memory/local-presence.js';
import type { ChannelName } from '../ports/broker.js';
import type { MembersQuery, Presence, PresenceListener, PresenceStore } from '../ports/presence-store.js';
import type { EnterMode, MembersSlice } from './host-presence.js';
import type { RemoteLink } from './remote-link.js';
import type { RemoteNodeRegistry } from './remote-node-registry.js';

/** Sessions in one step of a read, and in one statement. */
const AT_ONCE = 400;
/** Before what the primary refused is tried again. */
const AGAIN_MS = 100;

/** Presence of all workers, in the primary. What this worker has entered is kept here, so it can be entered again. */
export class RemotePresenceStore implements PresenceStore {
  private readonly local = new LocalPresence(() => {});
  private readonly listeners: PresenceListener[] = [];

  constructor(
    private readonly link: RemoteLink,
    registry: RemoteNodeRegistry,
  ) {
    registry.listen({ lost: () => {}, forgotten: () => void this.restate() });
    link.on('up', () => void this.restate());
    link.onEvent('presence.lost', (channel: ChannelName, users: readonly string[]) =>
      this.tell('lost', channel, users),
    );
  }

  /** The number of channels that take memory. */
  get size(): number {
    return this.local.size;
  }

  listen(listener: PresenceListener): void {
    this.listeners.push(listener);
  }

  add(channel: ChannelName, presence: Presence): Promise<boolean> {
    return this.local.inTurn(channel, presence, (_members, entry) => this.enter(channel, entry));
  }

  remove(channel: ChannelName, presence: Presence): Promise<boolean> {
    return this.local.inTurn(channel, presence, async (_members, entry) => {
      const isRetry = entry.state === 'going';
      entry.state = 'going';
      const { sessionId, userId } = presence;
      const hasGone = await this.link.call('presence.leave', channel, sessionId, userId, isRetry);
      entry.state = 'out';
      return hasGone as boolean;
    });
  }

  async members(channel: ChannelName, query: MembersQuery = {}): Promise<readonly Presence[]> {
    const { limit = Infinity, inTurn = (step) => step() } = query;
    const members: Presence[] = [];
    let after: number | undefined = 0;
    while (after !== undefined && members.length < limit) {
      const size = Math.min(AT_ONCE, limit - members.length);
      const from: number = after;
      const slice = await inTurn(
        async () => (await this.link.call('presence.members', channel, from, size)) as MembersSlice,
      );
      for (const [sessionId, userId] of slice.presences) members.push({ sessionId, userId });
      after = slice.next;
    }
    return members;
  }

  private async enter(channel: ChannelName, entry: LocalEntry): Promise<boolean> {
    const modes = { out: 'new', going: 'new', coming: 'again', in: 'kept' } as const;
    const mode: EnterMode = modes[entry.state];
    if (entry.state !== 'in') entry.state = 'coming';
    const hasCome = await this.link.call('presence.enter', channel, entry.sessionId, entry.userId, mode);
    entry.state = 'in';
    return hasCome as boolean;
  }

  /**
   * Enters all sessions of this worker again, after the primary or this worker may have been away. If the connection
   * breaks, its return starts this again. If the primary has too much to do, it is tried again a little later.
   */
  private async restate(): Promise<void> {
    try {
      for (const channel of this.local.names) await this.restateIn(channel);
    } catch {
      if (this.link.isUp) setTimeout(() => void this.restate(), AGAIN_MS).unref();
    }
  }

  private async restateIn(channel: ChannelName): Promise<void> {
    const entries = [...(this.local.get(channel)?.sessions.values() ?? [])].filter(({ state }) => state === 'in');
    for (let start = 0; start < entries.length; start += AT_ONCE) {
      // Calls are carried out in order: a session that leaves meanwhile leaves after this.
      const batch = entries.slice(start, start + AT_ONCE).filter(({ state }) => state === 'in');
      const pairs = batch.map(({ sessionId, userId }) => [sessionId, userId]);
      this.tell('back', channel, (await this.link.call('presence.restate', channel, pairs)) as string[]);
    }
  }

  private tell(event: keyof PresenceListener, channel: ChannelName, users: readonly string[]): void {
    for (const userId of users) for (const listener of this.listeners) listener[event](channel, userId);
  }
}

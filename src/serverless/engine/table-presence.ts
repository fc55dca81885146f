import type { ChannelName } from '../../cluster/ports/broker.js';
import { PresenceStore, type MembersQuery, type Presence } from '../../cluster/ports/presence-store.js';
import type { SubscriptionsTable } from '../connections/subscriptions-table.js';

/** Presence read from the rows of subscriptions, which the channels write and delete before they ask. */
export class TablePresence extends PresenceStore {
  constructor(private readonly subscriptions: SubscriptionsTable) {
    super();
  }

  /** No other node can lose a session. */
  listen(): void {}

  add(channel: ChannelName, presence: Presence): Promise<boolean> {
    return this.isAlone(channel, presence);
  }

  remove(channel: ChannelName, presence: Presence): Promise<boolean> {
    return this.isAlone(channel, presence);
  }

  async members(channel: ChannelName, { limit = Infinity }: MembersQuery = {}): Promise<readonly Presence[]> {
    const found: Presence[] = [];
    for await (const page of this.subscriptions.of(channel, { consistent: true })) {
      for (const { connectionId, userId } of page) {
        if (found.length >= limit) return found;
        found.push({ sessionId: connectionId, userId });
      }
    }
    return found;
  }

  private async isAlone(channel: ChannelName, { sessionId, userId }: Presence): Promise<boolean> {
    return !(await this.subscriptions.hasOther(channel, { connectionId: sessionId, userId }));
  }
}

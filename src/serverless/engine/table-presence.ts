import type { ChannelName } from '../../cluster/ports/broker.js';
import { PresenceStore, type MembersQuery, type Presence } from '../../cluster/ports/presence-store.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { SubscriptionsTable } from '../connections/subscriptions-table.js';
import { Invocation } from '../invocation.js';

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

  /** Never rejects. The caller would try again by a timer, which does not run between two events. */
  async remove(channel: ChannelName, presence: Presence): Promise<boolean> {
    try {
      return await this.isAlone(channel, presence);
    } catch (error) {
      const { outcomes, options } = Invocation.current;
      outcomes.add('leave_untold');
      if (!(error instanceof GatehouseError)) options.onFailure('a leave', error);
      return false;
    }
  }

  async members(channel: ChannelName, { limit = Infinity }: MembersQuery = {}): Promise<readonly Presence[]> {
    const found: Presence[] = [];
    for await (const page of this.subscriptions.of(channel)) {
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

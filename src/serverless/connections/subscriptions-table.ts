import { createHash } from 'node:crypto';
import type { ChannelName } from '../../cluster/ports/broker.js';
import type { Database, Item } from '../aws/database.js';
import { expiryOfRows, type Tables } from '../tables.js';

/** A connection in a channel. */
export interface Member {
  readonly connectionId: string;
  readonly userId: string;
}

/** The sort key of a member: its user first, so that one query finds all connections of a user in a channel. */
export function memberKey({ connectionId, userId }: Member): string {
  return `${prefixOf(userId)}${connectionId}`;
}

export function connectionOf(member: string): string {
  return member.slice(PREFIX_LENGTH);
}

/** A hash, because a user id may be longer than a sort key. */
function prefixOf(userId: string): string {
  return `${createHash('sha256')
    .update(userId)
    .digest('base64url')
    .slice(0, PREFIX_LENGTH - 1)}#`;
}

const PREFIX_LENGTH = 23;

/** The table of subscriptions: one row for each channel of each connection. */
export class SubscriptionsTable {
  constructor(
    private readonly database: Database,
    private readonly tables: Tables,
  ) {}

  add(channel: ChannelName, member: Member, connectedAt: number): Promise<void> {
    const { connectionId, userId } = member;
    const expiresAt = expiryOfRows(connectedAt);
    return this.database.put(this.tables.subscriptions, {
      channel,
      member: memberKey(member),
      connectionId,
      user: userId,
      expiresAt,
    });
  }

  async remove(channel: ChannelName, member: Member): Promise<void> {
    await this.database.delete(this.tables.subscriptions, { channel, member: memberKey(member) });
  }

  /** Returns how many rows could not be deleted. */
  removeAll(rows: readonly { readonly channel: string; readonly member: string }[]): Promise<number> {
    const keys = rows.map(({ channel, member }) => ({ channel, member }));
    return this.database.deleteAll(this.tables.subscriptions, keys);
  }

  /** The members of a channel whose rows have not expired. Read consistently: whoever has subscribed is among them. */
  async *of(channel: ChannelName): AsyncGenerator<readonly Member[]> {
    const now = Date.now() / 1_000;
    const pages = this.database.query({
      TableName: this.tables.subscriptions,
      ConsistentRead: true,
      KeyConditionExpression: 'channel = :channel',
      ExpressionAttributeValues: { ':channel': channel },
    });
    for await (const page of pages) yield page.filter(({ expiresAt }) => Number(expiresAt) > now).map(memberOf);
  }

  /** Whether a user has another connection in a channel. */
  async hasOther(channel: ChannelName, { connectionId, userId }: Member): Promise<boolean> {
    const now = Date.now() / 1_000;
    const pages = this.database.query({
      TableName: this.tables.subscriptions,
      ConsistentRead: true,
      KeyConditionExpression: 'channel = :channel AND begins_with(#member, :prefix)',
      ExpressionAttributeNames: { '#member': 'member' },
      ExpressionAttributeValues: { ':channel': channel, ':prefix': prefixOf(userId) },
    });
    for await (const page of pages) {
      const others = page.filter((item) => item.connectionId !== connectionId && Number(item.expiresAt) > now);
      if (others.some(({ user }) => user === userId)) return true;
    }
    return false;
  }
}

function memberOf({ connectionId, user }: Item): Member {
  return { connectionId: String(connectionId), userId: String(user) };
}

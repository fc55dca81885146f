import type { Principal } from '../../authentication/principal.js';
import type { Database, Item } from '../aws/database.js';
import { expiryOfRows, type Tables } from '../tables.js';
import { principalOf, recordOf, type PrincipalRecord } from './principal-record.js';

/** A connection that is open, or was. */
export interface ConnectionRow {
  readonly connectionId: string;
  readonly principal: Principal;
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly connectedAt: number;
  /** The channels of the connection. */
  readonly channels: ReadonlyMap<string, ChannelMark>;
}

/** How a connection is subscribed to a channel. */
export interface ChannelMark {
  /** Whether the subscription ends with the rights of the session. */
  readonly byRight: boolean;
  /** Whether it gets the presence events of the channel. */
  readonly presence: boolean;
}

/** What a delivery to many needs of a connection. */
export interface Found {
  readonly connectionId: string;
  readonly roles: readonly string[];
}

/** One partition takes 1,000 writes a second; connections come and go at most at half of that by default. */
const SHARDS = 8;

/** The table of connections: one row each, read with every message. */
export class ConnectionsTable {
  constructor(
    private readonly database: Database,
    private readonly tables: Tables,
  ) {}

  add({ connectionId, principal, address, connectedAt }: Omit<ConnectionRow, 'channels'>): Promise<void> {
    return this.database.put(this.tables.connections, {
      connectionId,
      shard: shardOf(connectionId),
      // Absent for an anonymous client, which nobody can address by its user.
      ...(principal.anonymous ? {} : { user: principal.userId }),
      roles: principal.roles,
      principal: recordOf(principal),
      address,
      connectedAt,
      channels: {},
      expiresAt: expiryOfRows(connectedAt),
    });
  }

  async find(connectionId: string): Promise<ConnectionRow | undefined> {
    const item = await this.database.get(this.tables.connections, { connectionId });
    return item && rowOf(item);
  }

  /** Returns the row as it was. */
  async remove(connectionId: string): Promise<ConnectionRow | undefined> {
    const item = await this.database.delete(this.tables.connections, { connectionId });
    return item && rowOf(item);
  }

  /** Returns false if the connection has no row any more. */
  async renew(connectionId: string, principal: Principal): Promise<boolean> {
    const updated = await this.database.update({
      TableName: this.tables.connections,
      Key: { connectionId },
      UpdateExpression: 'SET #principal = :principal, #roles = :roles',
      ConditionExpression: 'attribute_exists(connectionId)',
      ExpressionAttributeNames: { '#principal': 'principal', '#roles': 'roles' },
      ExpressionAttributeValues: { ':principal': recordOf(principal), ':roles': principal.roles },
    });
    return updated !== undefined;
  }

  /** Returns false if the connection has no row any more. */
  async mark(connectionId: string, channel: string, mark: ChannelMark): Promise<boolean> {
    const updated = await this.database.update({
      TableName: this.tables.connections,
      Key: { connectionId },
      UpdateExpression: 'SET channels.#channel = :mark',
      ConditionExpression: 'attribute_exists(connectionId)',
      ExpressionAttributeNames: { '#channel': channel },
      ExpressionAttributeValues: { ':mark': mark },
    });
    return updated !== undefined;
  }

  async unmark(connectionId: string, channel: string): Promise<void> {
    await this.database.update({
      TableName: this.tables.connections,
      Key: { connectionId },
      UpdateExpression: 'REMOVE channels.#channel',
      ConditionExpression: 'attribute_exists(connectionId)',
      ExpressionAttributeNames: { '#channel': channel },
    });
  }

  /** The connections of a signed-in user. The index may lag behind by a moment. */
  ofUser(userId: string): AsyncGenerator<readonly Found[]> {
    return this.found({ index: 'byUser', attribute: 'user', value: userId });
  }

  async *everyone(): AsyncGenerator<readonly Found[]> {
    for (let shard = 0; shard < SHARDS; shard += 1) {
      yield* this.found({ index: 'byShard', attribute: 'shard', value: shard });
    }
  }

  private async *found({ index, attribute, value }: IndexQuery): AsyncGenerator<readonly Found[]> {
    const pages = this.database.query({
      TableName: this.tables.connections,
      IndexName: index,
      KeyConditionExpression: '#key = :value',
      ExpressionAttributeNames: { '#key': attribute },
      ExpressionAttributeValues: { ':value': value },
    });
    for await (const page of pages) yield page.map(foundIn);
  }
}

interface IndexQuery {
  readonly index: string;
  readonly attribute: string;
  readonly value: string | number;
}

function foundIn({ connectionId, roles }: Item): Found {
  return { connectionId: String(connectionId), roles: (roles as readonly string[] | undefined) ?? [] };
}

function shardOf(connectionId: string): number {
  let hash = 0;
  for (let index = 0; index < connectionId.length; index += 1) hash = (hash * 31 + connectionId.charCodeAt(index)) | 0;
  return Math.abs(hash) % SHARDS;
}

function rowOf(item: Item): ConnectionRow {
  const { connectionId, principal, address, connectedAt, channels } = item as unknown as {
    readonly connectionId: string;
    readonly principal: PrincipalRecord;
    readonly address: string;
    readonly connectedAt: number;
    readonly channels: Readonly<Record<string, ChannelMark>>;
  };
  return {
    connectionId,
    principal: principalOf(principal),
    address,
    connectedAt,
    channels: new Map(Object.entries(channels)),
  };
}

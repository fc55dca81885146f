import type * as Documents from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient, QueryCommandInput, UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { Invocation } from '../invocation.js';
import type { AwsClients } from './aws-clients.js';
import { isBusy, nameOfError } from './aws-error.js';

export type Item = Readonly<Record<string, unknown>>;
type Commands = typeof Documents;
type Call<T> = (client: DynamoDBDocumentClient, commands: Commands) => Promise<T>;

/** As many as one BatchWriteItem takes. */
const BATCH = 25;
/** Tries of a batch that DynamoDB carries out in part. */
const BATCH_TRIES = 5;
const BATCH_WAIT_MS = 50;

/**
 * DynamoDB, as far as the tables need it: single items and queries, no scan. A call that is refused for its rate, after
 * the SDK's own tries, is SERVER_BUSY for the client.
 */
export class Database {
  constructor(
    private readonly clients: AwsClients,
    private readonly sleep: (milliseconds: number) => Promise<unknown>,
  ) {}

  /** With a consistent read. */
  async get(table: string, key: Item): Promise<Item | undefined> {
    const { Item: found } = await this.call((client, { GetCommand }) =>
      client.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: true })),
    );
    return found;
  }

  async put(table: string, item: Item): Promise<void> {
    await this.call((client, { PutCommand }) => client.send(new PutCommand({ TableName: table, Item: item })));
  }

  /** Returns false if an item with this key is there. One that has expired does not count: it is deleted some time later. */
  putNew(table: string, item: Item): Promise<boolean> {
    return this.conditional((client, { PutCommand }) =>
      client.send(
        new PutCommand({
          TableName: table,
          Item: item,
          ConditionExpression: 'attribute_not_exists(expiresAt) OR expiresAt <= :now',
          ExpressionAttributeValues: { ':now': Math.floor(Date.now() / 1_000) },
        }),
      ),
    );
  }

  /** Returns the new item, or undefined if its condition does not hold. */
  async update(input: UpdateCommandInput): Promise<Item | undefined> {
    let attributes: Item | undefined;
    const isDone = await this.conditional(async (client, { UpdateCommand }) => {
      const answer = await client.send(new UpdateCommand({ ReturnValues: 'ALL_NEW', ...input }));
      attributes = answer.Attributes ?? {};
    });
    return isDone ? attributes : undefined;
  }

  /** Returns the item as it was. */
  async delete(table: string, key: Item): Promise<Item | undefined> {
    const { Attributes } = await this.call((client, { DeleteCommand }) =>
      client.send(new DeleteCommand({ TableName: table, Key: key, ReturnValues: 'ALL_OLD' })),
    );
    return Attributes;
  }

  /** The pages of a query, each at most 1 MB. */
  async *query(input: QueryCommandInput): AsyncGenerator<readonly Item[]> {
    let from: QueryCommandInput['ExclusiveStartKey'];
    do {
      const start: typeof from = from;
      const page = await this.call((client, { QueryCommand }) =>
        client.send(new QueryCommand({ ...input, ...(start && { ExclusiveStartKey: start }) })),
      );
      yield page.Items ?? [];
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
  }

  /** Deletes items. What DynamoDB leaves undone is tried again. Returns how many were left at last, and never rejects. */
  async deleteAll(table: string, keys: readonly Item[]): Promise<number> {
    let left = 0;
    for (let start = 0; start < keys.length; start += BATCH) {
      const batch = keys.slice(start, start + BATCH);
      left += await this.deleteBatch(table, batch).catch((error: unknown) => failed(batch, error));
    }
    return left;
  }

  private async deleteBatch(table: string, keys: readonly Item[]): Promise<number> {
    let requests = keys.map((key) => ({ DeleteRequest: { Key: key } }));
    for (let attempt = 0; attempt < BATCH_TRIES && requests.length > 0; attempt += 1) {
      if (attempt > 0) await this.sleep(BATCH_WAIT_MS * 2 ** attempt * Math.random());
      const pending = requests;
      const answer = await this.call((client, { BatchWriteCommand }) =>
        client.send(new BatchWriteCommand({ RequestItems: { [table]: pending } })),
      );
      requests = (answer.UnprocessedItems?.[table] ?? []) as typeof requests;
    }
    return requests.length;
  }

  private async conditional(call: Call<unknown>): Promise<boolean> {
    try {
      await this.call(call);
      return true;
    } catch (error) {
      if (nameOfError(error) === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  }

  private async call<T>(call: Call<T>): Promise<T> {
    const [client, commands] = await Promise.all([this.clients.dynamodb(), import('@aws-sdk/lib-dynamodb')]);
    try {
      return await call(client, commands);
    } catch (error) {
      if (!isBusy(error)) throw error;
      Invocation.current.outcomes.add('table_busy');
      throw new GatehouseError('SERVER_BUSY', { message: 'The tables are busy. Try again later' });
    }
  }
}

/** A batch that fails must not keep the next one from being deleted. A busy table has been counted. */
function failed(batch: readonly Item[], error: unknown): number {
  if (!(error instanceof GatehouseError)) Invocation.current.options.onFailure('a deletion of rows', error);
  return batch.length;
}

import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import type { Tables } from '../../src/serverless/tables.js';

type Definition = Omit<CreateTableCommandInput, 'TableName'>;

/** The tables of deploy/serverless/template.yaml. A test compares. */
export const TABLE_DEFINITIONS: Readonly<Record<keyof Tables, Definition>> = {
  connections: {
    AttributeDefinitions: [
      { AttributeName: 'connectionId', AttributeType: 'S' },
      { AttributeName: 'user', AttributeType: 'S' },
      { AttributeName: 'shard', AttributeType: 'N' },
    ],
    KeySchema: [{ AttributeName: 'connectionId', KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'byUser',
        KeySchema: [{ AttributeName: 'user', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
      {
        IndexName: 'byShard',
        KeySchema: [{ AttributeName: 'shard', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['roles'] },
      },
    ],
  },
  subscriptions: {
    AttributeDefinitions: [
      { AttributeName: 'channel', AttributeType: 'S' },
      { AttributeName: 'member', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'channel', KeyType: 'HASH' },
      { AttributeName: 'member', KeyType: 'RANGE' },
    ],
  },
  channels: {
    AttributeDefinitions: [
      { AttributeName: 'channel', AttributeType: 'S' },
      { AttributeName: 'seq', AttributeType: 'N' },
    ],
    KeySchema: [
      { AttributeName: 'channel', KeyType: 'HASH' },
      { AttributeName: 'seq', KeyType: 'RANGE' },
    ],
  },
};

/** The names of the three tables. deploy/serverless/template.yaml makes them, with their keys and indexes. */
export interface Tables {
  /** Key `connectionId`; indexes `byUser` on `user` and `byShard` on `shard`. */
  readonly connections: string;
  /** Key `channel` and `member`. */
  readonly subscriptions: string;
  /** Key `channel` and `seq`: the position of a channel at seq 0, and its publications. */
  readonly channels: string;
}

export const TABLES: Tables = {
  connections: 'gatehouse-connections',
  subscriptions: 'gatehouse-subscriptions',
  channels: 'gatehouse-channels',
};

/** API Gateway ends a connection after two hours. */
export const CONNECTION_LIFE_MS = 7_200_000;
/** API Gateway ends a connection that is silent for ten minutes. */
export const IDLE_LIMIT_MS = 600_000;
/** Clients ping when half of that has passed. */
export const PING_INTERVAL_MS = 300_000;
/** Rows outlive their connection by this, in case clocks differ. */
const ROW_GRACE_MS = 600_000;

/** When the rows of a connection expire, in seconds since 1970, as DynamoDB's time to live wants it. */
export function expiryOfRows(connectedAt: number): number {
  return Math.ceil((connectedAt + CONNECTION_LIFE_MS + ROW_GRACE_MS) / 1_000);
}

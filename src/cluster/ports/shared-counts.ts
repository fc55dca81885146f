/** What is counted over all nodes: the sessions of a user, or the connections of an address. */
export type CountKind = 'user' | 'address';

/**
 * How many connections a user and an address have, over all nodes. Each node states its own number as a whole, so a
 * statement that was lost is made good by the next. The share of a node that died returns when its lease has run out.
 * All implementations pass test/unit/cluster/shared-counts-contract.
 */
export abstract class SharedCounts {
  /**
   * Takes one more place. Of places that several nodes ask for at one time, no more are given than the limit leaves.
   *
   * @param limit over all nodes; zero: no limit
   * @returns whether there was room
   * @throws GatehouseError SERVER_BUSY when the store cannot be reached; then nothing is counted
   */
  abstract take(kind: CountKind, key: string, limit: number): Promise<boolean>;

  /** Gives a place back. Where the store is away, it is made good when it is back. */
  abstract release(kind: CountKind, key: string): void;

  /**
   * How many places each node has, by node id (SERVER_ID); none of nodes without a lease.
   *
   * @throws GatehouseError SERVER_BUSY when the store cannot be reached
   */
  abstract byNode(kind: CountKind, key: string): Promise<ReadonlyMap<string, number>>;
}

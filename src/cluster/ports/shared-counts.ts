/** What is counted over all nodes: the sessions of a user, or the connections of an address. */
export type CountKind = 'user' | 'address';

/**
 * Counts the connections of users and addresses over all nodes. Each node states its own number as a whole, so the next
 * statement repairs a lost one. The share of a dead node is freed when its lease ends. All implementations pass
 * test/unit/cluster/shared-counts-contract.
 */
export abstract class SharedCounts {
  /**
   * Takes one more place. Simultaneous requests of several nodes together never exceed the limit.
   *
   * @param limit over all nodes; 0 means no limit
   * @returns whether there was room
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached; then nothing is counted
   */
  abstract take(kind: CountKind, key: string, limit: number): Promise<boolean>;

  /** Gives a place back. If the store cannot be reached, this is repaired later. */
  abstract release(kind: CountKind, key: string): void;

  /**
   * Number of places of each node, by node id (SERVER_ID). Nodes without a lease have none.
   *
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached
   */
  abstract byNode(kind: CountKind, key: string): Promise<ReadonlyMap<string, number>>;
}

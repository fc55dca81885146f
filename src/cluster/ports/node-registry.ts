/** Names one life of a node: its SERVER_ID, and what tells a restart from the life before. */
export interface NodeIdentity {
  /** SERVER_ID. */
  readonly nodeId: string;
  /** Of this life alone: a node that was given up begins a new one when it is back. What it leaves behind in Redis bears it. */
  readonly incarnation: string;
}

/** How busy a node is. */
export interface NodeLoad {
  readonly sessions: number;
  /** How many it takes at most; zero: no limit. */
  readonly maxSessions: number;
  readonly eventLoopLagMs: number;
  /** Bytes that wait for slow readers. */
  readonly bufferedBytes: number;
  /** Share of one processor, 0 to 1 and beyond. */
  readonly processor: number;
}

/** What a node tells of itself every second. */
export interface NodeReport extends NodeIdentity {
  /** Where clients reach its WebSocket endpoint. */
  readonly url: string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Whether it takes connections: false while it starts, drains or is overloaded. */
  readonly isReady: boolean;
  readonly load: NodeLoad;
}

export interface NodeRegistryListener {
  /**
   * A node has not reported for LEASE_MS, or has withdrawn as long ago: what it left behind is to be cleared away, and
   * nothing more will come of this life of it. Told to one node, and to another where that one does not resolve; so whoever
   * clears must be able to begin anew.
   */
  lost(node: NodeIdentity): void | Promise<void>;
  /**
   * This node was given up, or the store has lost it. `self` is a new life already: what this node keeps in the store must
   * be written anew, under the new name.
   */
  forgotten(): void;
}

/** A node that has not reported for this long is gone; a time in which no node could report does not count. */
export const LEASE_MS = 10_000;
/** How often a node reports. */
export const REPORT_MS = 1_000;

/** Who is in the cluster. All implementations pass test/unit/cluster/node-registry-contract. */
export abstract class NodeRegistry {
  /** This node in its present life. */
  abstract readonly self: NodeIdentity;

  /**
   * The nodes with a lease, as of the last report, this one included; of several lives of one SERVER_ID the newest. While
   * the store is away: as last known.
   */
  abstract readonly nodes: readonly NodeReport[];

  abstract listen(listener: NodeRegistryListener): void;

  /**
   * Tells of this node, renews its lease, and brings `nodes` up to date.
   *
   * @throws GatehouseError SERVER_BUSY when the store cannot be reached
   */
  abstract report(report: Omit<NodeReport, keyof NodeIdentity>): Promise<void>;

  /** This node leaves in good order, for good: it is not among the nodes any more. What it leaves behind stays for a lease. */
  abstract withdraw(): Promise<void>;
}

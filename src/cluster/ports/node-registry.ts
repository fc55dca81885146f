/** Identifies one incarnation of a node: its SERVER_ID, and a part that changes with every start. */
export interface NodeIdentity {
  /** SERVER_ID. */
  readonly nodeId: string;
  /**
   * Different for each incarnation. A node that was given up begins a new one when it is back. Everything that it
   * stores in Redis carries this name.
   */
  readonly incarnation: string;
}

/** The load of a node. */
export interface NodeLoad {
  readonly sessions: number;
  /** Maximum number of sessions; 0 means no limit. */
  readonly maxSessions: number;
  readonly eventLoopLagMs: number;
  /** Bytes that wait for slow readers. */
  readonly bufferedBytes: number;
  /** Share of one core; more than 1 if several cores are busy. */
  readonly processor: number;
}

/** The report that a node sends every second. */
export interface NodeReport extends NodeIdentity {
  /** URL of its WebSocket endpoint. */
  readonly url: string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Whether it accepts connections: false while it starts, drains or is overloaded. */
  readonly isReady: boolean;
  readonly load: NodeLoad;
}

export interface NodeRegistryListener {
  /**
   * A node has not reported for LEASE_MS, or withdrew that long ago. Its entries must be removed; this incarnation will
   * write no more. Emitted on one node, and on another one if that does not resolve, so the cleanup must be able to
   * start again.
   */
  lost(node: NodeIdentity): void | Promise<void>;
  /**
   * This node was given up, or the store has lost it. `self` is already a new incarnation: everything that this node
   * stores must be written again under the new name.
   */
  forgotten(): void;
}

/** A node without a report for this long is lost. Times in which no node could report do not count. */
export const LEASE_MS = 10_000;
/** How often a node reports. */
export const REPORT_MS = 1_000;

/** The nodes of the cluster. All implementations pass test/unit/cluster/node-registry-contract. */
export abstract class NodeRegistry {
  /** The current incarnation of this node. */
  abstract readonly self: NodeIdentity;

  /**
   * The nodes with a lease as of the last report, including this one. If a SERVER_ID has several incarnations, the
   * newest. While the store cannot be reached: the last known state.
   */
  abstract readonly nodes: readonly NodeReport[];

  abstract listen(listener: NodeRegistryListener): void;

  /**
   * Reports this node, renews its lease, and updates `nodes`.
   *
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached
   */
  abstract report(report: Omit<NodeReport, keyof NodeIdentity>): Promise<void>;

  /** This node leaves for good and is no longer listed. Its entries stay for a lease. */
  abstract withdraw(): Promise<void>;
}

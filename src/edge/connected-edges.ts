import type { EdgeReport } from './edge-report.js';

/** An edge as its centre knows it. Times are in milliseconds since 1970. */
export interface EdgeEntry {
  /** The name of the edge: the `sub` of its token. */
  readonly edge: string;
  readonly isConnected: boolean;
  /** When it connected, or when its last connection closed. */
  readonly since: number;
  /** When it was last heard. */
  readonly seenAt: number;
  /** The session of its newest connection. It is gone if the edge is not connected. */
  readonly sessionId: string;
  readonly address: string;
  /** More than one: several devices use its token. */
  readonly connections: number;
  readonly report: EdgeReport;
}

export interface EdgeQuery {
  /** Only edges whose name comes after this one. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** The edges of this node. A port for the API and metrics, absent if this server is no centre. */
export abstract class ConnectedEdges {
  abstract readonly connected: number;

  /** Sorted by name. */
  abstract list(query: EdgeQuery): readonly EdgeEntry[];
}

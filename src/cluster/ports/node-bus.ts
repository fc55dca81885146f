/** What came back of a question to other nodes. */
export interface Answers<T> {
  /** By node id (SERVER_ID). */
  readonly received: ReadonlyMap<string, T>;
  /** Nodes that did not answer in time, or could not. */
  readonly missing: readonly string[];
}

export interface AskOptions {
  /** Node ids (SERVER_ID) to ask; absent: every other node with a lease. */
  readonly nodes?: readonly string[];
  /** Default 2,000. */
  readonly timeoutMs?: number;
}

/** Handles one kind of message from other nodes. What it returns is the answer, where one was asked for. */
export type BusHandler = (payload: unknown, fromNodeId: string) => unknown;

/** What the nodes that answered counted. */
export function sumOf({ received }: Answers<number>): number {
  return [...received.values()].reduce((sum, count) => sum + count, 0);
}

/** Words between nodes. A payload is whatever a publication's data may be. Delivery is at most once. */
export abstract class NodeBus {
  /** False where the engine is embedded: there are no other nodes, and nothing need be made ready for them. */
  abstract readonly reachesOthers: boolean;

  /** False while Redis is away: then nobody else hears anything. */
  abstract readonly isConnected: boolean;

  /** Each kind has one handler; called before the server listens. */
  abstract handle(kind: string, handler: BusHandler): void;

  /**
   * Says something to all other nodes, or to some. Never throws: where Redis is away it is lost, and counted.
   *
   * @param nodes node ids (SERVER_ID)
   */
  abstract tell(kind: string, payload: unknown, nodes?: readonly string[]): void;

  /** Asks, and waits for the answers. Never rejects: what does not come is `missing`. */
  abstract ask<T>(kind: string, payload: unknown, options?: AskOptions): Promise<Answers<T>>;
}

/** The answers to a question to other nodes. */
export interface Answers<T> {
  /** By node id (SERVER_ID). */
  readonly received: ReadonlyMap<string, T>;
  /** Nodes that did not answer in time, or could not. */
  readonly missing: readonly string[];
}

export interface AskOptions {
  /** Node ids (SERVER_ID) to ask. Absent: every other node with a lease. */
  readonly nodes?: readonly string[];
  /** Milliseconds; 2,000 by default. */
  readonly timeoutMs?: number;
}

/** Handles one kind of message from other nodes. Its return value is the answer, if the message was a question. */
export type BusHandler = (payload: unknown, fromNodeId: string) => unknown;

/** The sum of the answers. */
export function sumOf({ received }: Answers<number>): number {
  return [...received.values()].reduce((sum, count) => sum + count, 0);
}

/** Messages between nodes. A payload can be anything that a publication can carry. Delivery is at most once. */
export abstract class NodeBus {
  /** False on a single node: then nothing needs to be prepared for others. */
  abstract readonly reachesOthers: boolean;

  /** False while Redis cannot be reached. Other nodes then hear nothing. */
  abstract readonly isConnected: boolean;

  /**
   * Registers the handler of a kind. Must be called before the server listens.
   *
   * @throws Error if the kind has a handler
   */
  abstract handle(kind: string, handler: BusHandler): void;

  /**
   * Sends to all other nodes, or to some. Never throws. Without Redis the message is lost and counted.
   *
   * @param nodes node ids (SERVER_ID)
   */
  abstract tell(kind: string, payload: unknown, nodes?: readonly string[]): void;

  /** Asks other nodes and waits for the answers. Never rejects; nodes without an answer are `missing`. */
  abstract ask<T>(kind: string, payload: unknown, options?: AskOptions): Promise<Answers<T>>;
}

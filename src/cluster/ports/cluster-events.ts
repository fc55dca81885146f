import { EventEmitter } from 'node:events';

/**
 * What could not be shared with other nodes: a message or a question on the bus, an answer, an entry in the connection
 * directory, a ban, a revocation, or a place in a connection limit.
 */
export const CLUSTER_LOSSES = ['word', 'question', 'answer', 'directory', 'ban', 'revocation', 'place'] as const;
export type ClusterLoss = (typeof CLUSTER_LOSSES)[number];

interface ClusterEventMap {
  lost: [what: ClusterLoss, count: number];
  /**
   * This node hears the others, for the first time or again. It has missed what they sent meanwhile and must look it
   * up. Also emitted if Redis may hold an older state.
   */
  rejoined: [];
  /** A handler of messages from other nodes threw. */
  crashed: [where: string, exception: unknown];
}

/** Events between nodes, for the stages above and for observers. Listeners must not throw. */
export class ClusterEvents extends EventEmitter<ClusterEventMap> {}

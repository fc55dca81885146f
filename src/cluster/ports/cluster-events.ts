import { EventEmitter } from 'node:events';

/**
 * What could not be shared with other nodes: a word or a question on the bus, an answer that did not come, an entry in the
 * connection directory, a ban, a revocation, a place that a connection takes.
 */
export const CLUSTER_LOSSES = ['word', 'question', 'answer', 'directory', 'ban', 'revocation', 'place'] as const;
export type ClusterLoss = (typeof CLUSTER_LOSSES)[number];

interface ClusterEventMap {
  lost: [what: ClusterLoss, count: number];
  /**
   * This node hears the others, for the first time or again: what they said meanwhile is missed, and must be looked up. Also
   * where Redis may hold an older state.
   */
  rejoined: [];
  /** A handler of words from other nodes threw. */
  crashed: [where: string, exception: unknown];
}

/** What happens between nodes, for the stages above and for observers. Listeners must not throw. */
export class ClusterEvents extends EventEmitter<ClusterEventMap> {}

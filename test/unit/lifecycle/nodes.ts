import type { NodeIdentity, NodeLoad, NodeRegistry, NodeReport } from '../../../src/cluster/ports/node-registry.js';

interface NodeState extends Partial<NodeLoad> {
  readonly isReady?: boolean;
}

export function node(nodeId: string, { isReady = true, ...load }: NodeState = {}): NodeReport {
  return {
    nodeId,
    incarnation: `${nodeId}#1`,
    url: `ws://${nodeId}.example/ws`,
    version: '0.0.0',
    startedAt: 0,
    isReady,
    load: { sessions: 0, maxSessions: 10_000, eventLoopLagMs: 0, bufferedBytes: 0, processor: 0, ...load },
  };
}

/** A registry that knows what the test says. */
export class ScriptedRegistry implements NodeRegistry {
  readonly self: NodeIdentity = { nodeId: 'self', incarnation: 'self#1' };

  constructor(public nodes: readonly NodeReport[]) {}

  listen(): void {}

  async report(): Promise<void> {}

  async withdraw(): Promise<void> {}
}

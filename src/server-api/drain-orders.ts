import { Inject, Injectable } from '@nestjs/common';
import { NODE_BUS, type NodeBus } from '../cluster/node-bus.js';
import { NODE_REGISTRY, type NodeRegistry } from '../cluster/node-registry.js';
import { Drain, type DrainSummary } from '../lifecycle/drain.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { DrainAnswer } from './nodes.requests.js';
import { ProblemError } from './problem.js';

const KIND = 'drain';

/** Has a node drained, this one or another. Every node obeys, also one whose own API is off. */
@Injectable()
export class DrainOrders {
  constructor(
    @Inject(NODE_BUS) private readonly bus: NodeBus,
    @Inject(NODE_REGISTRY) private readonly registry: NodeRegistry,
    private readonly drain: Drain,
  ) {
    bus.handle(KIND, () => ({ ...this.drain.begin() }));
  }

  /** @throws ProblemError 404; GatehouseError TIMEOUT where the node does not answer, and may drain or not */
  async give(nodeId = this.registry.self.nodeId): Promise<DrainAnswer> {
    if (nodeId === this.registry.self.nodeId) return answer(nodeId, this.drain.begin());
    if (!this.registry.nodes.some((node) => node.nodeId === nodeId)) {
      throw new ProblemError(404, 'There is no such node');
    }
    const { received } = await this.bus.ask<DrainSummary>(KIND, null, { nodes: [nodeId] });
    const summary = received.get(nodeId);
    if (summary === undefined) throw new GatehouseError('TIMEOUT', { message: 'The node does not answer' });
    return answer(nodeId, summary);
  }
}

function answer(nodeId: string, { leaving, remaining, reconnectWindowMs, startedAt }: DrainSummary): DrainAnswer {
  return { nodeId, sessions: leaving, remaining, reconnectWindowMs, startedAt };
}

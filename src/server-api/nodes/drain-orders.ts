import { Injectable } from '@nestjs/common';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { Drain, type DrainSummary } from '../../lifecycle/drain.js';
import type { DrainAnswer } from './nodes.requests.js';
import { orderOf } from './other-node.js';

const KIND = 'drain';

/** Drains a node, this one or another. Every node obeys, even if its own API is off. */
@Injectable()
export class DrainOrders {
  constructor(
    readonly bus: NodeBus,
    readonly registry: NodeRegistry,
    private readonly drain: Drain,
  ) {
    bus.handle(KIND, () => ({ ...this.drain.begin() }));
  }

  /** @throws ProblemError and GatehouseError as `orderOf` */
  async give(nodeId = this.registry.self.nodeId): Promise<DrainAnswer> {
    if (nodeId === this.registry.self.nodeId) return answer(nodeId, this.drain.begin());
    return answer(nodeId, await orderOf<DrainSummary>(this, { nodeId, kind: KIND, payload: null }));
  }
}

function answer(nodeId: string, { leaving, remaining, reconnectWindowMs, startedAt }: DrainSummary): DrainAnswer {
  return { nodeId, sessions: leaving, remaining, reconnectWindowMs, startedAt };
}

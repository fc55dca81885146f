import { Injectable } from '@nestjs/common';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { NodeActivity, type ActivityReport } from '../../observability/activity/node-activity.js';
import type { ActivityAnswer } from './activity.requests.js';

const KIND = 'activity';

/** What all nodes do. Every node answers, even if its own API is off. */
@Injectable()
export class ClusterActivity {
  constructor(
    private readonly bus: NodeBus,
    private readonly registry: NodeRegistry,
    private readonly own: NodeActivity,
  ) {
    bus.handle(KIND, () => this.own.read());
  }

  async read(): Promise<ActivityAnswer> {
    const { received, missing } = await this.bus.ask<ActivityReport>(KIND, null);
    const all = [[this.registry.self.nodeId, this.own.read()] as const, ...received];
    const nodes = all.map(([nodeId, report]) => ({ nodeId, ...report }));
    return { nodes: nodes.sort((left, right) => (left.nodeId < right.nodeId ? -1 : 1)), missing };
  }
}

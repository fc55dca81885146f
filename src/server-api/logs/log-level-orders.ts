import { Injectable } from '@nestjs/common';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { Logs, type LogLevelChange, type LogLevelState } from '../../observability/logs/logs.js';
import type { LogLevelsAnswer, NodeLogLevelsAnswer } from './log-levels.requests.js';
import { orderOf } from '../nodes/other-node.js';

const KIND = 'log-levels';

/** What a node is asked to do. If all fields except `by` are absent, it only reports its levels. */
interface Order {
  readonly by: string;
  /** Null: the configured levels. */
  readonly levels?: string | null;
  readonly seconds?: number;
}

/** Reads and changes the log levels of one node or of all. Every node obeys, even if its own API is off. */
@Injectable()
export class LogLevelOrders {
  constructor(
    private readonly logs: Logs,
    readonly bus: NodeBus,
    readonly registry: NodeRegistry,
  ) {
    bus.handle(KIND, (payload) => this.obey(payload as Order));
  }

  /** The levels of all nodes. */
  look(by: string): Promise<LogLevelsAnswer> {
    return this.give({ by });
  }

  /** @throws ProblemError and GatehouseError as `orderOf`, if one node is named */
  change({ levels, seconds, by }: LogLevelChange, nodeId: string | undefined): Promise<LogLevelsAnswer> {
    return this.give({ by, levels, ...(seconds !== undefined && { seconds }) }, nodeId);
  }

  /** Resets the levels to the configured ones. */
  restore(by: string, nodeId: string | undefined): Promise<LogLevelsAnswer> {
    return this.give({ by, levels: null }, nodeId);
  }

  private async give(order: Order, nodeId?: string): Promise<LogLevelsAnswer> {
    const { self } = this.registry;
    if (nodeId !== undefined && nodeId !== self.nodeId) {
      const state = await orderOf<LogLevelState>(this, { nodeId, kind: KIND, payload: order });
      return { nodes: [answerOf(nodeId, state)], missing: [] };
    }
    const own = answerOf(self.nodeId, this.obey(order));
    if (nodeId !== undefined) return { nodes: [own], missing: [] };
    const { received, missing } = await this.bus.ask<LogLevelState>(KIND, order);
    return { nodes: [own, ...[...received].map(([name, state]) => answerOf(name, state))], missing };
  }

  private obey({ by, levels, seconds }: Order): LogLevelState {
    if (levels === undefined) return this.logs.state;
    return levels === null ? this.logs.restore(by) : this.logs.change({ by, levels, seconds });
  }
}

function answerOf(nodeId: string, { levels, areas, configured, until }: LogLevelState): NodeLogLevelsAnswer {
  return { nodeId, levels, configured, areas, ...(until !== undefined && { until }) };
}

import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { EngineLink } from '../cluster/ports/engine-link.js';
import { NodeRegistry } from '../cluster/ports/node-registry.js';

/**
 * The connection to the other nodes. Never down: without Redis, or without its primary, a node serves its own clients,
 * and all nodes lose it at the same moment, so a balancer would have no node left.
 */
@Injectable()
export class ClusterIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly registry: NodeRegistry,
    @Inject(EngineLink) private readonly link: EngineLink | undefined,
  ) {}

  check(): HealthIndicatorResult {
    const nodes = this.registry.nodes.length;
    const indicator = this.indicators.check('cluster');
    if (this.link === undefined) return indicator.up({ state: 'ok', engine: 'embedded', nodes });
    const { engine, isUp, faults } = this.link;
    const isDegraded = !isUp || faults.length > 0;
    return indicator.up({
      state: isDegraded ? 'degraded' : 'ok',
      engine,
      [engine]: isUp ? 'up' : 'down',
      ...(faults.length > 0 && { faults }),
      nodes,
    });
  }
}

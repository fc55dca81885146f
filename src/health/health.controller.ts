import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { Settings } from '../../config/settings.js';
import { ClusterIndicator } from './cluster.indicator.js';
import { EdgeIndicator } from './edge.indicator.js';
import { EventLoopIndicator } from './event-loop.indicator.js';
import { HeapIndicator } from './heap.indicator.js';
import { StateIndicator } from './state.indicator.js';

@Controller()
export class HealthController {
  constructor(
    @Inject(Settings) private readonly settings: Pick<Settings, 'health'>,
    private readonly health: HealthCheckService,
    private readonly state: StateIndicator,
    private readonly eventLoop: EventLoopIndicator,
    private readonly heap: HeapIndicator,
    private readonly cluster: ClusterIndicator,
    private readonly edge: EdgeIndicator,
  ) {}

  /** Liveness: any answer shows that the event loop turns. A restart would repair nothing else. */
  @Get('health')
  live(): HealthCheckResult {
    // Not through HealthCheckService, which answers 503 while the server drains: a draining server must not be killed
    // for it.
    const details = this.eventLoop.show();
    return { status: 'ok', info: details, error: {}, details };
  }

  /**
   * Readiness: 503 while starting or draining, and while the process is overloaded. Not without Redis, because clients
   * are still served.
   */
  @Get('ready')
  ready(): Promise<HealthCheckResult> {
    const { maxEventLoopLagMs, maxHeapPercent } = this.settings.health;
    return this.health.check([
      () => this.state.check(),
      () => this.eventLoop.check(maxEventLoopLagMs),
      () => this.heap.check(maxHeapPercent),
      () => this.cluster.check(),
      () => this.edge.check(),
    ]);
  }
}

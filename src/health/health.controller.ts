import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { Settings } from '../../config/settings.js';
import { ClusterIndicator } from './cluster.indicator.js';
import { EdgeIndicator } from './edge.indicator.js';
import { EventLoopIndicator } from './event-loop.indicator.js';
import { HeapIndicator } from './heap.indicator.js';
import { StateIndicator } from './state.indicator.js';
import { WorkersIndicator } from './workers.indicator.js';

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
    private readonly workers: WorkersIndicator,
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
   * are still served. With workers it speaks for the machine, whichever worker was asked.
   */
  @Get('ready')
  ready(): Promise<HealthCheckResult> {
    const { maxEventLoopLagMs, maxHeapPercent } = this.settings.health;
    // One worker that is ready takes the clients of a whole machine.
    if (this.workers.isAnotherReady)
      return this.health.check([() => this.workers.check(), () => this.cluster.check(), () => this.edge.check()]);
    return this.health.check([
      ...(this.workers.areThere ? [() => this.workers.check()] : []),
      () => this.state.check(),
      () => this.eventLoop.check(maxEventLoopLagMs),
      () => this.heap.check(maxHeapPercent),
      () => this.cluster.check(),
      () => this.edge.check(),
    ]);
  }
}

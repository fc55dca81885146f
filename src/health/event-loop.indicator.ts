import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;

/** How late the event loop's timers are. */
@Injectable()
export class EventLoopIndicator implements OnModuleInit, OnApplicationShutdown {
  private readonly delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor(private readonly indicators: HealthIndicatorService) {}

  onModuleInit(): void {
    this.delay.enable();
  }

  onApplicationShutdown(): void {
    this.delay.disable();
  }

  /** For liveness: shows the lag, and leaves it for readiness to judge. */
  show(): HealthIndicatorResult {
    return this.indicators.check('event_loop').up({ lagMs: this.lagMs });
  }

  /**
   * For readiness: judges the lag since it was last judged.
   *
   * @param maxMs mean lag above which it is down; zero: never
   */
  check(maxMs: number): HealthIndicatorResult {
    const { lagMs } = this;
    this.delay.reset();
    const indicator = this.indicators.check('event_loop');
    return maxMs > 0 && lagMs > maxMs ? indicator.down({ lagMs, maxMs }) : indicator.up({ lagMs });
  }

  private get lagMs(): number {
    // The histogram counts whole timer periods, so an idle loop shows the resolution and not zero.
    const mean = Number.isNaN(this.delay.mean) ? 0 : this.delay.mean / 1e6;
    return Math.max(0, Math.round((mean - RESOLUTION_MS) * 10) / 10);
  }
}

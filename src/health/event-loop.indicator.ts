import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;

/** How late the event loop's timers are since it was last asked. */
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

  /** @param maxMs mean lag above which it is down; zero: never */
  check(maxMs = 0): HealthIndicatorResult {
    // The histogram counts whole timer periods, so an idle loop shows the resolution and not zero.
    const mean = Number.isNaN(this.delay.mean) ? 0 : this.delay.mean / 1e6;
    const lagMs = Math.max(0, Math.round((mean - RESOLUTION_MS) * 10) / 10);
    this.delay.reset();
    const indicator = this.indicators.check('event_loop');
    return maxMs > 0 && lagMs > maxMs ? indicator.down({ lagMs, maxMs }) : indicator.up({ lagMs });
  }
}

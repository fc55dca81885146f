import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { LoadMeter } from '../lifecycle/load-meter.js';

/** The lag of the event loop. */
@Injectable()
export class EventLoopIndicator {
  private judgedAt = performance.now();

  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly meter: LoadMeter,
  ) {}

  /** For liveness: shows the lag without a limit. */
  show(): HealthIndicatorResult {
    return this.indicators.check('event_loop').up({ lagMs: this.meter.lagMs });
  }

  /**
   * For readiness: checks the worst half second since the last check, so that a stall between two probes counts.
   *
   * @param maxMs lag above which it is down; 0: never
   */
  check(maxMs: number): HealthIndicatorResult {
    const lagMs = this.meter.worstLagMs(this.judgedAt);
    this.judgedAt = performance.now();
    const indicator = this.indicators.check('event_loop');
    return maxMs > 0 && lagMs > maxMs ? indicator.down({ lagMs, maxMs }) : indicator.up({ lagMs });
  }
}

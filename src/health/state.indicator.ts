import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { Readiness } from '../lifecycle/readiness.js';

/** Whether the server takes new connections. */
@Injectable()
export class StateIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly readiness: Readiness,
  ) {}

  check(): HealthIndicatorResult {
    const { isReady, state, overload } = this.readiness;
    const { phase } = state;
    const indicator = this.indicators.check('state');
    if (isReady) return indicator.up({ phase });
    return overload.sign === undefined
      ? indicator.down({ phase })
      : indicator.down({ phase, overloadedBy: overload.sign });
  }
}

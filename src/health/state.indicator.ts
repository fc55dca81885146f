import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { ServerState } from '../lifecycle/server-state.js';

/** Whether the server takes new connections. */
@Injectable()
export class StateIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly state: ServerState,
  ) {}

  check(): HealthIndicatorResult {
    const { phase, isReady } = this.state;
    const indicator = this.indicators.check('state');
    return isReady ? indicator.up({ phase }) : indicator.down({ phase });
  }
}

import { Injectable, Optional } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { EdgeStatus } from '../edge/edge-status.js';

/** The centre of an edge node. Never down: without it the node serves its own clients, and stores their messages. */
@Injectable()
export class EdgeIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    @Optional() private readonly status?: EdgeStatus,
  ) {}

  /** @returns nothing if this is no edge node */
  check(): HealthIndicatorResult {
    if (this.status === undefined) return {};
    return this.indicators.check('edge').up({ ...this.status.read() });
  }
}

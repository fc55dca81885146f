import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Logger } from 'pino';
import type { Counter } from 'prom-client';
import { ApiEvents } from '../server-api/api-events.js';
import { BurstGuard } from './burst-guard.js';
import { LOGGER } from './connection-log.js';
import { METRIC } from './metrics.js';

/** Counts requests to the server API, and logs what it refuses and what fails. */
@Injectable()
export class ApiObserver implements OnModuleInit {
  private readonly guard = new BurstGuard();

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @InjectMetric(METRIC.apiRequests) private readonly requests: Counter,
    private readonly events: ApiEvents,
  ) {}

  onModuleInit(): void {
    this.events.on('answered', (route, status) => this.requests.inc({ route, status }));
    this.events.on('refused', (status, address) => {
      this.guard.write(`refused:${status}`, (leftOut) =>
        this.logger.info({ status, address, ...(leftOut > 0 && { leftOut }) }, 'API request refused'),
      );
    });
    this.events.on('crashed', (where, err) => {
      this.guard.write('crashed', (leftOut) =>
        this.logger.error({ where, err, ...(leftOut > 0 && { leftOut }) }, 'API request failed'),
      );
    });
  }
}

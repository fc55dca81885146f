import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';
import { ApiEvents } from '../api-events.js';
import { Logs } from './logs.js';
import { METRIC } from '../metrics/metrics.js';

/** Counts requests to the server API, and logs refusals and failures. */
@Injectable()
export class ApiObserver implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    @InjectMetric(METRIC.apiRequests) private readonly requests: Counter,
    private readonly events: ApiEvents,
  ) {}

  onModuleInit(): void {
    this.events.on('answered', (route, status) => this.requests.inc({ route, status }));
    this.events.on('refused', (status, address) => this.logs.write('api_refused', () => ({ status, address })));
    this.events.on('crashed', (where, err) => this.logs.write('api_failed', () => ({ where, err })));
  }
}

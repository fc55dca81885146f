import { Controller, Get, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { MachineMetrics } from './machine-metrics.js';

/** The endpoint that Prometheus scrapes. PrometheusModule sets its path. */
@Controller()
export class MetricsController {
  constructor(private readonly metrics: MachineMetrics) {}

  @Get()
  scrape(@Res({ passthrough: true }) response: ServerResponse): Promise<string> {
    response.setHeader('Content-Type', this.metrics.contentType);
    return this.metrics.read();
  }
}

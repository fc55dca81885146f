import { Controller, Get, Res } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { Registry } from 'prom-client';

/** The endpoint that Prometheus scrapes. PrometheusModule sets its path. */
@Controller()
export class MetricsController {
  constructor(private readonly registry: Registry) {}

  @Get()
  scrape(@Res({ passthrough: true }) response: ServerResponse): Promise<string> {
    response.setHeader('Content-Type', this.registry.contentType);
    return this.registry.metrics();
  }
}

import { Controller, Get, Inject, Req, Res, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Settings } from '../../../config/settings.js';
import { RoutePlanner } from '../../lifecycle/route-planner.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { originPolicy, type OriginPolicy } from '../../upgrade/ladder/origin-policy.js';
import { Problems } from '../http/api-controller.js';
import { RouteAnswer } from './nodes.requests.js';
import { ProblemFilter } from '../http/problem.filter.js';

const RETRY_AFTER_MS = 1_000;

/**
 * Tells clients where to connect. It requires no token, because clients may not have one yet. Pages are checked by
 * their origin, as for an upgrade.
 */
@Controller()
@UseFilters(ProblemFilter)
@ApiTags('Route')
export class RouteController {
  private readonly isAllowedOrigin: OriginPolicy;

  constructor(
    @Inject(Settings) settings: Pick<Settings, 'server' | 'authentication'>,
    private readonly planner: RoutePlanner,
  ) {
    this.isAllowedOrigin = originPolicy(settings);
  }

  @Get('route')
  @ApiOperation({ summary: 'Get the node that a client should connect to', security: [] })
  @Problems(503)
  next(@Req() { headers }: IncomingMessage, @Res({ passthrough: true }) response: ServerResponse): RouteAnswer {
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Vary', 'Origin');
    const { origin, host } = headers;
    if (origin !== undefined && this.isAllowedOrigin(origin, host)) {
      response.setHeader('Access-Control-Allow-Origin', origin);
    }
    const node = this.planner.next();
    if (node === undefined) {
      throw new GatehouseError('SERVER_BUSY', { message: 'No node accepts clients', retryAfter: RETRY_AFTER_MS });
    }
    return { nodeId: node.nodeId, url: node.url };
  }
}

import { Injectable } from '@nestjs/common';
import { GatewayHooks } from '../../dispatch/gateway-hooks.js';
import { Departures } from '../connections/departures.js';
import type { GatewayAnswer, GatewayEvent } from './gateway-event.js';

/** RFC 6455 §7.4.1: no code was given. */
const NO_CODE = 1005;

/** `$disconnect`, which API Gateway sends as a best effort. Rows that stay expire, or go when a post finds them. */
@Injectable()
export class DisconnectRoute {
  constructor(
    private readonly departures: Departures,
    private readonly hooks: GatewayHooks,
  ) {}

  async serve({ requestContext }: GatewayEvent): Promise<GatewayAnswer> {
    const { connectionId, disconnectStatusCode: code = NO_CODE, disconnectReason: reason = '' } = requestContext;
    const session = await this.departures.depart(connectionId);
    if (session !== undefined) this.hooks.of('').disconnected(session.connection, { code, reason });
    return { statusCode: 200 };
  }
}

import { Injectable } from '@nestjs/common';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { Departures } from '../connections/departures.js';
import { NO_CODE } from '../connections/posted-connection.js';
import { ServerlessHost } from '../host.js';
import { Invocation } from '../invocation.js';
import type { GatewayAnswer, GatewayEvent } from './gateway-event.js';

/** API Gateway does not send the event again, so a busy table is asked more often than for a message. */
const TRIES = 4;
const FIRST_WAIT_MS = 500;

/** `$disconnect`, which API Gateway sends as a best effort. Rows that stay expire, or go when a post finds them. */
@Injectable()
export class DisconnectRoute {
  constructor(
    private readonly host: ServerlessHost,
    private readonly departures: Departures,
  ) {}

  async serve({ requestContext }: GatewayEvent): Promise<GatewayAnswer> {
    const { connectionId, disconnectStatusCode: code = NO_CODE, disconnectReason: reason = '' } = requestContext;
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      if (await this.isDone(connectionId, { code, reason })) return { statusCode: 200 };
      if (attempt < TRIES) await this.host.sleep(FIRST_WAIT_MS * 2 ** attempt * Math.random());
    }
    Invocation.current.outcomes.add('rows_left');
    return { statusCode: 503 };
  }

  private async isDone(connectionId: string, disconnection: { code: number; reason: string }): Promise<boolean> {
    try {
      await this.departures.depart(connectionId, disconnection);
      return true;
    } catch (error) {
      if (error instanceof GatehouseError && error.code === 'SERVER_BUSY') return false;
      throw error;
    }
  }
}

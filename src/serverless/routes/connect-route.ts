import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { findCredentials, type Credentials } from '../../authentication/credentials.js';
import { GatewayHooks, type ConnectionHooks } from '../../dispatch/gateway-hooks.js';
import type { SessionId } from '../../sessions/session.js';
import { Eligibility } from '../../upgrade/ladder/eligibility.js';
import { REFUSALS, type Refusal, type RefusalReason } from '../../upgrade/ladder/refusals.js';
import { Departures } from '../connections/departures.js';
import { PostedConnection } from '../connections/posted-connection.js';
import { ServerlessHost } from '../host.js';
import { Invocation } from '../invocation.js';
import { headersOf, targetOf, type GatewayAnswer, type GatewayEvent } from './gateway-event.js';

/** API Gateway carries text, and a frame has one message. */
const SUBPROTOCOL = 'v1.json';
/** Where a refusal has only a close code: API Gateway cannot send one. */
const STATUS_WITHOUT_HTTP = 400;

/** `$connect`: may this client have a connection? Writes its row, and posts nothing. */
@Injectable()
export class ConnectRoute {
  private hooks: ConnectionHooks | undefined;

  constructor(
    private readonly host: ServerlessHost,
    private readonly eligibility: Eligibility,
    private readonly gateways: GatewayHooks,
    private readonly departures: Departures,
  ) {}

  async serve(event: GatewayEvent): Promise<GatewayAnswer> {
    const { connectionId, connectedAt = Date.now(), identity } = event.requestContext;
    const headers = headersOf(event);
    const url = targetOf(event);
    const credentials = jsonAlone(findCredentials({ headers, url }));
    if (credentials === 'unsupported_subprotocol') return refusal(credentials);
    const sessionId = connectionId as SessionId;
    const endpoint = { compresses: () => false };
    const eligible = await this.eligibility.of({ headers, credentials, sessionId, endpoint });
    if (typeof eligible === 'string') return refusal(eligible);

    const { principal, subprotocol } = eligible;
    const address = identity?.sourceIp ?? '';
    await this.host.connections.add({ connectionId, principal, address, connectedAt });
    const connection = await this.greet(connectionId, { headers, url, method: 'GET' } as unknown as IncomingMessage);
    if (connection.closedWith !== undefined) {
      await this.departures.depart(connectionId, connection.closedWith);
      return closedByGateway();
    }
    return {
      statusCode: 200,
      ...(subprotocol !== undefined && { headers: { 'Sec-WebSocket-Protocol': subprotocol } }),
    };
  }

  /** Gateways hear of the connection, and cannot send to it yet. They are waited for: a message may follow at once. */
  private async greet(connectionId: string, request: IncomingMessage): Promise<PostedConnection> {
    const invocation = Invocation.current;
    const connection = new PostedConnection(connectionId, invocation, this.host.poster);
    this.hooks ??= this.gateways.of('');
    const greeting = this.hooks.connected(connection.asConnection, request);
    await invocation.inTime(greeting.then((failures) => invocation.outcomes.add('hook_failed', failures)));
    return connection;
  }
}

/** By a close in handleConnection. API Gateway sends no $disconnect for a client that it has refused. */
function closedByGateway(): GatewayAnswer {
  Invocation.current.outcomes.add('refused');
  return { statusCode: 403, body: 'Not allowed to connect' };
}

/** Offers of other subprotocols do not count. A client that offers nothing else cannot be understood. */
function jsonAlone(credentials: Credentials): Credentials | 'unsupported_subprotocol' {
  if (!credentials.ok || credentials.offeredSubprotocols.length === 0) return credentials;
  const offeredSubprotocols = credentials.offeredSubprotocols.filter((name) => name === SUBPROTOCOL);
  return offeredSubprotocols.length === 0 ? 'unsupported_subprotocol' : { ...credentials, offeredSubprotocols };
}

function refusal(reason: RefusalReason): GatewayAnswer {
  const { http }: Refusal = REFUSALS[reason];
  Invocation.current.outcomes.add('refused');
  if (http === undefined) return { statusCode: STATUS_WITHOUT_HTTP, body: reason };
  const { status, sentence, headers } = http;
  return { statusCode: status, body: sentence, ...(headers && { headers }) };
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { CorrelationId } from '@gatehouse/protocol';
import { MessageRate } from '../../access/limits/message-rate.js';
import { Dispatcher } from '../../dispatch/dispatcher.js';
import { errorReply } from '../../dispatch/error-reply.js';
import { InboundFrame } from '../../dispatch/inbound/inbound-frame.js';
import { MessageTable } from '../../dispatch/message-table.js';
import { ReplyStreams } from '../../dispatch/calls/reply-streams.js';
import { jsonCodec } from '../../protocol/codecs/json-codec.js';
import { EnvelopeError, readEnvelope } from '../../protocol/envelope.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { EXPIRY_GRACE_MS } from '../../sessions/expiry-sweep.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import type { Session } from '../../sessions/session.js';
import type { ConnectionRow } from '../connections/connections-table.js';
import { PostedConnection } from '../connections/posted-connection.js';
import { PostedSession } from '../connections/posted-session.js';
import { ServerlessHost } from '../host.js';
import { Invocation } from '../invocation.js';
import { bodyOf, type GatewayAnswer, type GatewayEvent } from './gateway-event.js';

/** Rates are those of API Gateway's stage: a session that lives for one message cannot count. */
const NO_RATE = new MessageRate(undefined, undefined);
const DEFAULT_ROUTE = '$default';

/** A message of a client, on `$default` or on a route of its own. */
@Injectable()
export class MessageRoute implements OnModuleInit {
  constructor(
    private readonly host: ServerlessHost,
    private readonly sessions: SessionRegistry,
    private readonly dispatcher: Dispatcher,
    private readonly table: MessageTable,
    private readonly streams: ReplyStreams,
  ) {}

  onModuleInit(): void {
    this.sessions.events.on('renewed', (session) => this.keepPrincipal(session));
  }

  async serve(event: GatewayEvent): Promise<GatewayAnswer> {
    const { connectionId, routeKey } = event.requestContext;
    const { outcomes } = Invocation.current;
    const bytes = namedBy(routeKey, bodyOf(event));
    const row = await this.host.connections.find(connectionId).catch((error: unknown) => error);
    if (row instanceof Error) {
      await this.refuse(connectionId, bytes, row);
      return { statusCode: 200 };
    }
    if (row === undefined) {
      outcomes.add('unknown_connection');
      await this.host.poster.disconnect(connectionId);
      return { statusCode: 200 };
    }
    const session = this.sessionOf(row as ConnectionRow);
    if (hasExpired(session)) {
      outcomes.add('expired_token');
      session.close('token_expired');
      return { statusCode: 200 };
    }
    await this.handle(session, bytes);
    return { statusCode: 200 };
  }

  private async handle(session: PostedSession, bytes: Buffer): Promise<void> {
    this.sessions.add(session);
    try {
      const sender = { session, handlers: this.table.of(''), rate: NO_RATE, previous: undefined, release: () => {} };
      const { pending } = this.dispatcher.dispatch(new InboundFrame(sender, bytes.length, performance.now()), bytes);
      await Invocation.current.inTime(this.finished(session, pending));
    } finally {
      this.streams.endAll(session);
      this.sessions.remove(session, 1000, '');
    }
  }

  private async finished(session: PostedSession, pending: Promise<void> | undefined): Promise<void> {
    await pending;
    await this.streams.ended(session);
    await Invocation.current.settled();
  }

  /** The table does not say whose connection it is. API Gateway knows, and the client waits for an answer. */
  private async refuse(connectionId: string, bytes: Buffer, error: Error): Promise<void> {
    if (!(error instanceof GatehouseError)) {
      const { outcomes, options } = Invocation.current;
      outcomes.add('failed');
      options.onFailure('the row of a connection', error);
    }
    const reply = jsonCodec.encode(errorReply(error, idIn(bytes)));
    await this.host.poster.post(connectionId, Buffer.from(reply));
  }

  private sessionOf(row: ConnectionRow): PostedSession {
    const connection = new PostedConnection(row.connectionId, Invocation.current, this.host.poster);
    return new PostedSession(row, connection, this.sessions.events);
  }

  /** The reply waits for it: the next message may reach another process at once. */
  private keepPrincipal(session: Session): void {
    if (!(session instanceof PostedSession)) return;
    session.posted.after('a new token', () => this.host.connections.renew(session.id, session.principal));
  }
}

function idIn(bytes: Buffer): CorrelationId | undefined {
  try {
    return readEnvelope(jsonCodec.decode(bytes)).id;
  } catch (error) {
    return error instanceof EnvelopeError ? error.id : undefined;
  }
}

function hasExpired({ principal: { expiresAt } }: Session): boolean {
  return expiresAt !== undefined && expiresAt + EXPIRY_GRACE_MS <= Date.now();
}

/** On a route of its own, the name of the route stands for a type that the message lacks. */
function namedBy(routeKey: string, bytes: Buffer): Buffer {
  if (routeKey === DEFAULT_ROUTE) return bytes;
  try {
    const message: unknown = JSON.parse(bytes.toString());
    const isObject = typeof message === 'object' && message !== null && !Array.isArray(message);
    return isObject && !Object.hasOwn(message, 'type')
      ? Buffer.from(JSON.stringify({ ...message, type: routeKey }))
      : bytes;
  } catch {
    // The dispatcher answers what is no JSON.
    return bytes;
  }
}

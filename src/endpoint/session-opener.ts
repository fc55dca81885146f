import { Inject, Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { Settings } from '../../config/settings.js';
import type { AccessSettings } from '../access/access-settings.js';
import { reasonWithBan } from '../access/lists/ban-reason.js';
import { ConnectionLimits } from '../access/limits/connection-limits.js';
import { MessageRates } from '../access/limits/message-rate.js';
import { FrameFormats } from '../sessions/frame-format.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import { Session } from '../sessions/session.js';
import { ConnectionContext } from '../socket/connection-context.js';
import type { Connection } from '../socket/connection.js';
import { Heartbeat } from '../socket/heartbeat.js';
import type { Acceptance } from '../upgrade/decision.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { GatewayHooks, type ConnectionHooks } from '../dispatch/gateway-hooks.js';
import { Inbox, type InboxContext } from '../dispatch/inbound/inbox.js';
import { MessageTable } from '../dispatch/message-table.js';
import { ReplyStreams } from '../dispatch/calls/reply-streams.js';

/** Accepts the clients of one path. */
export type Receive = (accepted: Acceptance, connection: Connection) => void;

/** The parts that the sessions of one path share. */
interface Path {
  readonly context: InboxContext;
  readonly hooks: ConnectionHooks;
}

/**
 * The time limit for handlers of clients that have left, if handlers have no other limit, because nobody waits for
 * their replies.
 */
const PATIENCE_MS = 30_000;
/** So that a handler gets TIMEOUT before its session ends. */
const PATIENCE_MARGIN_MS = 5_000;

/**
 * Turns an accepted client into a session: gives its connection an inbox and a heartbeat, and cleans up when it closes.
 */
@Injectable()
export class SessionOpener {
  private readonly formats: FrameFormats;

  constructor(
    @Inject(Settings) private readonly access: AccessSettings,
    private readonly shared: ConnectionContext,
    private readonly sessions: SessionRegistry,
    private readonly limits: ConnectionLimits,
    private readonly rates: MessageRates,
    private readonly heartbeat: Heartbeat,
    private readonly dispatcher: Dispatcher,
    private readonly streams: ReplyStreams,
    private readonly table: MessageTable,
    private readonly hooks: GatewayHooks,
  ) {
    this.formats = new FrameFormats(shared.compression);
  }

  /** @param path as the gateways declare it; empty for those that declare none */
  at(path: string): Receive {
    const hooks = this.hooks.of(path);
    const context = this.inboxContext(path, hooks);
    return (accepted, connection) => this.receive(accepted, connection, { context, hooks });
  }

  private receive(accepted: Acceptance, connection: Connection, { context, hooks }: Path): void {
    const { sessionId, place, principal, codec, upgrade } = accepted;
    const { request, socket } = upgrade;
    const { address } = accepted.client;
    const isCompressed = takesCompressed(connection, request);
    const format = this.formats.of(codec, isCompressed);
    const session = new Session(sessionId, { principal, connection, format, address, events: this.sessions.events });
    const inbox = new Inbox({ session, place, rate: this.rates.of(place) }, context);
    const lists = isCompressed ? 'compressed' : 'plain';
    connection.attach(socket, this.shared, inbox, codec.split === undefined ? undefined : lists);
    this.heartbeat.watch(connection);
    this.sessions.add(session);
    void hooks.connected(connection, request);
  }

  private inboxContext(path: string, hooks: ConnectionHooks): InboxContext {
    const { maxPending, maxBatch, maxProtocolErrors, abuseBanAfter, handlerTimeoutMs } = this.access.messages;
    return {
      handlers: this.table.of(path),
      dispatcher: this.dispatcher,
      events: this.sessions.events,
      costOfSize: this.rates.costOfSize,
      abuseBanAfter,
      maxPending,
      maxBatch,
      maxProtocolErrors,
      patienceMs: (handlerTimeoutMs || PATIENCE_MS) + PATIENCE_MARGIN_MS,
      onAbuse: ({ session, place }) => {
        const ban = this.limits.abused(place);
        session.close('too_many_messages', reasonWithBan('too_many_messages', ban));
      },
      onClosed: ({ session, place }, code, reason) => {
        this.heartbeat.forget(session.connection);
        this.limits.release(place);
        this.streams.endAll(session);
        this.sessions.remove(session, code, reason);
        void hooks.disconnected(session.connection, { code, reason });
      },
    };
  }
}

/**
 * Whether the client can read the compressed frames that we write for all. A client that asked for a smaller window
 * gets uncompressed messages, which the extension always allows.
 */
function takesCompressed({ extensions }: Connection, { headers }: IncomingMessage): boolean {
  const asked = headers['sec-websocket-extensions'] ?? '';
  return extensions.includes('permessage-deflate') && !asked.includes('server_max_window_bits');
}

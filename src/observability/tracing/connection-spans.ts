import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SpanKind, type Attributes, type Context, type Link, type Span } from '@opentelemetry/api';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '../../authentication/principal.js';
import { SessionEvents } from '../../sessions/session-events.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import type { Session } from '../../sessions/session.js';
import type { RefusalReason } from '../../upgrade/ladder/refusals.js';
import { UpgradeEvents, type AcceptedAttempt, type RefusedAttempt } from '../../upgrade/upgrade-events.js';
import { ofClient, parentInHeaders } from './parents.js';
import { hashOfUser } from './shown-names.js';
import { Tracing } from './tracing.js';

const NAME = 'websocket.connection';

/** A span from each upgrade to the end of its connection, or to its refusal. */
@Injectable()
export class ConnectionSpans implements OnModuleInit {
  /** Connections whose span is recorded. */
  private readonly spans = new WeakMap<Session, Span>();

  constructor(
    private readonly tracing: Tracing,
    private readonly upgrades: UpgradeEvents,
    private readonly sessions: SessionEvents,
    private readonly registry: SessionRegistry,
  ) {}

  onModuleInit(): void {
    this.upgrades.on('accepted', (attempt) => this.begin(attempt));
    this.upgrades.on('refused', (reason, _address, attempt) => this.refuse(reason, attempt));
    this.sessions.on('closed', (session, code) => this.end(session, code));
  }

  /**
   * The link for spans of messages. They are not children of the connection's span, because no tool can show a trace
   * that lasts for days and has a million spans.
   */
  linksTo(session: Session): Link[] {
    const span = this.spans.get(session);
    return span === undefined ? [] : [{ context: span.spanContext() }];
  }

  private begin(attempt: AcceptedAttempt): void {
    const session = this.registry.get(attempt.sessionId);
    const span = this.start(attempt);
    if (session === undefined || !span.isRecording()) return;
    span.setAttributes({
      ...who(attempt.principal),
      'session.id': attempt.sessionId,
      'websocket.subprotocol': attempt.codec.subprotocol,
      'url.path': pathOf(attempt.request),
    });
    // The span itself is sent when the connection ends, so it has the duration of the upgrade as an attribute.
    span.addEvent('open');
    this.spans.set(session, span);
  }

  private refuse(reason: RefusalReason, attempt: RefusedAttempt): void {
    const span = this.start(attempt);
    if (!span.isRecording() || !this.tracing.admitsRefusal()) return;
    span.setAttributes({ ...who(attempt.principal), 'gatehouse.refusal': reason, 'error.type': reason });
    span.end();
  }

  private end(session: Session, code: number): void {
    const { openedAt, messagesReceived, messagesSent } = session;
    this.spans
      .get(session)
      ?.setAttributes({
        'websocket.close_code': code,
        'websocket.duration_ms': Date.now() - openedAt,
        'websocket.messages_received': messagesReceived,
        'websocket.messages_sent': messagesSent,
      })
      .end();
  }

  private start({ request, arrivedAt }: { readonly request: IncomingMessage; readonly arrivedAt: number }): Span {
    const options = { kind: SpanKind.SERVER, startTime: arrivedAt };
    return this.tracing.tracer.startSpan(NAME, options, this.parentOf(request));
  }

  private parentOf({ headers }: IncomingMessage): Context {
    return ofClient(parentInHeaders(headers), this.tracing);
  }
}

function who(principal: Principal | undefined): Attributes {
  return principal === undefined || principal.anonymous ? {} : { 'user.hash': hashOfUser(principal.userId) };
}

/** Without the query, which may contain a token. An endpoint has this path, so it is not text of a client. */
function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? url;
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SpanKind, type Attributes, type Span } from '@opentelemetry/api';
import { DispatchEvents, type RefusedMessage } from '../../dispatch/dispatch-events.js';
import type { MessageContext } from '../../dispatch/calls/message-context.js';
import type { CorrelationId } from '@gatehouse/protocol';
import type { Session } from '../../sessions/session.js';
import { clientText } from '../client-text.js';
import { ConnectionSpans } from './connection-spans.js';
import { tellException, tellOutcome } from './outcomes.js';
import { ofClient, parentOf, traceOf } from './parents.js';
import { Tracing } from './tracing.js';

const NAME = 'websocket.message';

interface About {
  readonly session: Session;
  readonly type: string;
  readonly id: CorrelationId | undefined;
  readonly trace: string | undefined;
  readonly bytes: number;
}

/**
 * A span for each message. The interceptor begins it if the message reaches its handler; otherwise, for example after a
 * guard, it is created afterwards. It ends with the reply, and has its outcome.
 */
@Injectable()
export class MessageSpans implements OnModuleInit {
  private readonly spans = new WeakMap<MessageContext, Span>();

  constructor(
    private readonly tracing: Tracing,
    private readonly messages: DispatchEvents,
    private readonly connections: ConnectionSpans,
  ) {}

  onModuleInit(): void {
    this.messages.on('handled', (_type, milliseconds, context) => this.end(context, milliseconds));
    this.messages.on('refused', (code, message) => this.refuse(code, message));
    this.messages.on('crashed', (_where, exception, context) => {
      if (context) tellException(this.spans.get(context) ?? this.begin(context), exception);
    });
  }

  /** @param startedAt milliseconds since 1970, if it did not begin now */
  begin(context: MessageContext, startedAt?: number): Span {
    const { session, type, bytes, message } = context;
    const span = this.start({ session, type, bytes, id: message.id, trace: message.trace }, startedAt);
    this.spans.set(context, span);
    // The reply belongs to the same trace.
    context.trace = traceOf(span);
    return span;
  }

  private end(context: MessageContext, milliseconds: number): void {
    const span = this.spans.get(context) ?? this.begin(context, Date.now() - milliseconds);
    if (!span.isRecording()) return;
    tellOutcome(span, context.outcome);
    span.end();
  }

  private refuse(code: string, message: RefusedMessage): void {
    const span = this.start(message);
    if (!span.isRecording() || !this.tracing.admitsRefusal()) return;
    tellOutcome(span, code);
    span.end();
  }

  private start(message: About, startTime?: number): Span {
    const { tracer } = this.tracing;
    const links = this.connections.linksTo(message.session);
    const options = { kind: SpanKind.SERVER, links, ...(startTime !== undefined && { startTime }) };
    const span = tracer.startSpan(NAME, options, ofClient(parentOf(message.trace), this.tracing));
    return span.isRecording() ? span.setAttributes(attributesOf(message)) : span;
  }
}

function attributesOf({ session, type, id, bytes }: About): Attributes {
  return {
    'session.id': session.id,
    'messaging.system': 'gatehouse',
    'gatehouse.message.type': clientText(type) ?? '',
    'messaging.message.body.size': bytes,
    ...(id !== undefined && { 'messaging.message.id': clientText(String(id)) ?? '' }),
  };
}

import { Injectable, type CallHandler, type ExecutionContext } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { MessageContext } from '../../dispatch/calls/message-context.js';
import type { MessageInterceptor } from '../../dispatch/calls/message-interceptor.js';
import type { CorrelationId } from '@gatehouse/protocol';
import { parseTraceparent } from '../../protocol/traceparent.js';
import { clientText } from '../client-text.js';
import { Logs } from './logs.js';

/** Writes the line `message` about every message. Around the handlers only while LOG_LEVEL asks for it. */
export class MessageLines implements MessageInterceptor {
  constructor(private readonly logs: Logs) {}

  intercept(_host: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }

  around(context: MessageContext, call: () => unknown): unknown {
    // By then its outcome stands.
    context.afterReply(() => this.logs.write('message', () => lineAbout(context)));
    return call();
  }
}

/**
 * Logs one line at `info`, `message handled`, for each message that reaches a handler of a gateway or method that has
 * `@UseInterceptors(MessageLogInterceptor)`: the session, the message's id and type, its outcome, and how long it took. The
 * payload is not logged.
 */
@Injectable()
export class MessageLogInterceptor implements MessageInterceptor {
  constructor(private readonly logs: Logs) {}

  intercept(host: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (host.getType() === 'ws') this.follow(host.getArgByIndex<MessageContext>(2));
    return next.handle();
  }

  around(context: MessageContext, call: () => unknown): unknown {
    this.follow(context);
    return call();
  }

  private follow(context: MessageContext): void {
    context.afterReply(() => this.logs.write('gateway_message', () => lineAbout(context)));
  }
}

function lineAbout(context: MessageContext) {
  const milliseconds = Math.round((performance.now() - context.arrivedAt) * 1_000) / 1_000;
  return { ...identityOf(context), type: context.type, milliseconds, outcome: context.outcome };
}

/** The session and the message that a line is about. */
export function identityOf({ session, message, trace }: MessageContext) {
  const { traceId, spanId } = parseTraceparent(trace) ?? {};
  // Not by the span that is active: the handler's is not any more.
  return { session: session.id, id: shownId(message.id), ...(traceId && { trace_id: traceId, span_id: spanId }) };
}

/** The client has chosen it. */
export function shownId(id: CorrelationId | undefined): string | number | undefined {
  return typeof id === 'string' ? clientText(id) : id;
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DispatchEvents, type RefusedMessage } from '../../dispatch/dispatch-events.js';
import type { MessageContext } from '../../dispatch/calls/message-context.js';
import type { CorrelationId } from '@gatehouse/protocol';
import { parseTraceparent } from '../../protocol/traceparent.js';
import { clientText } from '../client-text.js';
import { Logs } from './logs.js';

/**
 * A line a message at debug, and one for each handler that fails. By events and not by an interceptor: that is part of a
 * handler's call from the start on or not at all, and the level can change at run time. While it is off, nobody listens.
 */
@Injectable()
export class MessageLog implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    private readonly messages: DispatchEvents,
  ) {}

  onModuleInit(): void {
    const { logs, messages, handled, refused } = this;
    messages.on('crashed', (where, err, context) =>
      logs.write('handler_failed', () => ({ ...(context && describe(context)), where, err })),
    );
    logs.follow('message', {
      begin: () => messages.on('handled', handled),
      end: () => messages.off('handled', handled),
    });
    logs.follow('message_refused', {
      begin: () => messages.on('refused', refused),
      end: () => messages.off('refused', refused),
    });
  }

  private readonly handled = (type: string, elapsedMs: number, context: MessageContext): void =>
    this.logs.write('message', () => {
      const milliseconds = Math.round(elapsedMs * 1_000) / 1_000;
      return { ...describe(context), type, milliseconds, outcome: context.outcome };
    });

  private readonly refused = (outcome: string, { session, id, type }: RefusedMessage): void =>
    this.logs.write('message_refused', () => ({ session: session.id, id: shown(id), type: clientText(type), outcome }));
}

function describe({ session, message, trace }: MessageContext) {
  const { traceId, spanId } = parseTraceparent(trace) ?? {};
  // Not by the span that is active: the handler's is not any more.
  return { session: session.id, id: shown(message.id), ...(traceId && { trace_id: traceId, span_id: spanId }) };
}

/** The client has chosen it. */
function shown(id: CorrelationId | undefined): string | number | undefined {
  return typeof id === 'string' ? clientText(id) : id;
}

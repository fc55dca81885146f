import { Injectable, type OnModuleInit } from '@nestjs/common';
import { RuntimeInterceptors } from '../../dispatch/calls/runtime-interceptors.js';
import { DispatchEvents, type RefusedMessage } from '../../dispatch/dispatch-events.js';
import { clientText } from '../client-text.js';
import { Logs } from './logs.js';
import { identityOf, MessageLines, shownId } from './message-log.interceptor.js';

/**
 * A line for each message at debug, and one for each handler that fails. While the level is off, no interceptor is around
 * the handlers and nobody listens.
 */
@Injectable()
export class MessageLog implements OnModuleInit {
  constructor(
    private readonly logs: Logs,
    private readonly messages: DispatchEvents,
    private readonly interceptors: RuntimeInterceptors,
  ) {}

  onModuleInit(): void {
    const { logs, messages, interceptors, refused } = this;
    messages.on('crashed', (where, err, context) =>
      logs.write('handler_failed', () => ({ ...(context && identityOf(context)), where, err })),
    );
    const lines = new MessageLines(logs);
    logs.follow('message', { begin: () => interceptors.add(lines), end: () => interceptors.remove(lines) });
    logs.follow('message_refused', {
      begin: () => messages.on('refused', refused),
      end: () => messages.off('refused', refused),
    });
  }

  private readonly refused = (outcome: string, { session, id, type }: RefusedMessage): void =>
    this.logs.write('message_refused', () => ({
      session: session.id,
      id: shownId(id),
      type: clientText(type),
      outcome,
    }));
}

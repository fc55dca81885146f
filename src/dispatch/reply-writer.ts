import { Injectable } from '@nestjs/common';
import type { CorrelationId, ServerMessage } from '@gatehouse/protocol';
import type { Session } from '../sessions/session.js';
import { DispatchEvents, type RefusedMessage } from './dispatch-events.js';
import { EncryptedPayloads } from './inbound/encrypted-payloads.js';
import { errorReply, isFault } from './error-reply.js';
import type { MessageContext } from './calls/message-context.js';
import type { Handler } from './message-table.js';

/** The message that an error belongs to. */
interface Failing {
  readonly id: CorrelationId | undefined;
  readonly trace?: string | undefined;
  readonly context?: MessageContext;
}

/** Writes the reply of a message: the result of its handler, or an error. Never throws. */
@Injectable()
export class ReplyWriter {
  constructor(
    private readonly events: DispatchEvents,
    private readonly payloads: EncryptedPayloads,
  ) {}

  /** A handler that returns nothing gets a reply only if the request had an id. */
  reply({ replyType, name }: Handler, context: MessageContext, data: unknown): void {
    const { session, message } = context;
    if (data === undefined && message.id === undefined) return;
    try {
      const reply = { type: replyType, id: message.id, trace: context.trace, data };
      this.send(session, message.enc === undefined ? reply : this.payloads.sealed(reply));
    } catch (exception) {
      // A reply that is too large for its host is an answer, and no fault of ours.
      if (isFault(exception)) this.events.crash(name, exception, context);
      this.error(context, exception);
    }
  }

  /** Runs the handler's exception filters, then replies. Returns a promise if a filter is asynchronous. */
  failure(handler: Handler, context: MessageContext, exception: unknown): Promise<void> | undefined {
    if (handler.recover === undefined) {
      this.conclude(handler, context, exception);
      return undefined;
    }
    return this.recover(handler, context, exception);
  }

  /** Sends the reason why the message reached no handler. */
  refusal(refused: RefusedMessage, exception: unknown): void {
    const { session, type, id } = refused;
    const code = this.sendError(session, exception, { id });
    this.events.emit('failed', code, session, type);
    this.events.emit('refused', code, refused);
  }

  /** Sends the error, without details that are not meant for the client. */
  private error(context: MessageContext, exception: unknown): void {
    const { session, type, message, trace } = context;
    context.outcome = this.sendError(session, exception, { id: message.id, trace, context });
    this.events.emit('failed', context.outcome, session, type);
  }

  private sendError(session: Session, exception: unknown, { id, trace, context }: Failing): string {
    try {
      const reply = errorReply(exception, id, trace);
      this.send(session, reply);
      return reply.code;
    } catch (unwritable) {
      // An exception of the application may contain values that cannot be encoded.
      this.events.crash('the error reply', unwritable, context);
      this.send(session, errorReply(undefined, id, trace));
      return 'INTERNAL_ERROR';
    }
  }

  /** A reply to a client that has closed is dropped. */
  private send(session: Session, answer: ServerMessage): void {
    if (session.connection.isOpen) session.send(answer);
    else this.events.emit('unsent');
  }

  private async recover(handler: Handler, context: MessageContext, exception: unknown): Promise<void> {
    const { connection } = context.session;
    const sentBefore = connection.sentByHand;
    try {
      const result: unknown = await handler.recover?.(exception, context, context.message.data);
      // A filter that sent something has replied. One that returns an error replaces the original.
      if (result === undefined && connection.sentByHand > sentBefore) return;
      this.conclude(handler, context, result instanceof Error ? result : exception);
    } catch (fromFilter) {
      this.conclude(handler, context, fromFilter);
    }
  }

  private conclude({ name }: Handler, context: MessageContext, exception: unknown): void {
    if (isFault(exception)) this.events.crash(name, exception, context);
    this.error(context, exception);
  }
}

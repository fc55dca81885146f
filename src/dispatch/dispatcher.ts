import { Injectable } from '@nestjs/common';
import { isObservable } from 'rxjs';
import { EnvelopeError, readEnvelope, type InboundMessage } from '../protocol/envelope.js';
import type { ErrorCode } from '@gatehouse/protocol';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { Session } from '../sessions/session.js';
import { ReplyWriter } from './reply-writer.js';
import { DispatchEvents } from './dispatch-events.js';
import { EncryptedPayloads } from './inbound/encrypted-payloads.js';
import type { InboundFrame } from './inbound/inbound-frame.js';
import { MessageContext } from './calls/message-context.js';
import type { Handler } from './message-table.js';
import { ReplyStreams } from './calls/reply-streams.js';

/** The tokens for a message are not available yet. */
export interface Shortage {
  readonly tokens: number;
  readonly milliseconds: number;
}

/** The result of a frame: whether it was a valid envelope, and the promise of a running handler. */
export interface Outcome {
  readonly isEnvelope: boolean;
  readonly pending: Promise<void> | undefined;
  /** It cost more than the frame alone showed, and was refused. In throttle mode it must be dispatched again. */
  readonly shortage: Shortage | undefined;
}

/** Messages that were refused without being read. */
export interface Unread {
  readonly messages: number;
  readonly bytes: number;
  /** Milliseconds until the sender may send again. */
  readonly retryAfter: number;
}

/** The part of a message that is read before it is refused. */
type Refusable = Pick<InboundMessage, 'type' | 'id'> & Partial<Pick<InboundMessage, 'trace'>>;

const ANSWERED: Outcome = { isEnvelope: true, pending: undefined, shortage: undefined };
const MALFORMED: Outcome = { isEnvelope: false, pending: undefined, shortage: undefined };

/** Takes a frame through the stages: decode, check, handle, encode. It always replies and never throws. */
@Injectable()
export class Dispatcher {
  constructor(
    readonly events: DispatchEvents,
    private readonly answers: ReplyWriter,
    private readonly streams: ReplyStreams,
    private readonly payloads: EncryptedPayloads,
  ) {}

  dispatch(frame: InboundFrame, bytes: Buffer): Outcome {
    const { sender, overRateFor } = frame;
    const message = this.decode(frame, bytes);
    if (typeof message === 'string') return message === 'INVALID_MESSAGE_FORMAT' ? MALFORMED : ANSWERED;

    const handler = sender.handlers.get(message.type);
    const isDear = handler !== undefined && handler.cost > 1;
    const shortage = isDear ? shortageOf(handler, frame) : undefined;
    if (shortage !== undefined && sender.rate.waits) return { isEnvelope: true, pending: undefined, shortage };

    this.events.emit('received', handler?.type ?? 'unknown', frame.size);
    const refusal = refusalOf(handler, shortage?.milliseconds ?? overRateFor);
    if (refusal) this.refuse(frame, message, refusal);
    if (refusal || !handler) return shortage === undefined ? ANSWERED : { ...ANSWERED, shortage };
    return message.enc === undefined
      ? this.handle(handler, message, frame)
      : this.handleEncrypted(handler, message, frame);
  }

  /** Counts a message over the rate that is refused without being read. */
  countUnread(bytes: number): void {
    this.events.emit('received', 'unknown', bytes);
  }

  /** Sends one error for all messages that were refused without being read. */
  refuseUnread(session: Session, { messages, bytes, retryAfter }: Unread): void {
    const details = { messages: [`${messages} refused without being read`] };
    const refused = { session, type: 'unknown', id: undefined, trace: undefined, bytes };
    this.answers.refusal(refused, new GatehouseError('RATE_LIMIT_EXCEEDED', { details, retryAfter }));
  }

  private handle(handler: Handler, message: InboundMessage, frame: InboundFrame): Outcome {
    const { session, previous } = frame.sender;
    const context = new MessageContext(session, message, frame.size, frame.arrivedAt, frame);
    if (message.enc !== undefined) context.cipher = this.payloads.cipher;
    const pending = previous ? this.callBehind(handler, context, previous) : this.call(handler, context);
    return pending ? { isEnvelope: true, pending, shortage: undefined } : ANSWERED;
  }

  private handleEncrypted(handler: Handler, message: InboundMessage, frame: InboundFrame): Outcome {
    let opened: InboundMessage;
    try {
      opened = this.payloads.opened(message);
    } catch (refusal) {
      this.refuse(frame, message, refusal);
      return ANSWERED;
    }
    return this.handle(handler, opened, frame);
  }

  /** The message, or the code of the error that was sent instead. */
  private decode(frame: InboundFrame, bytes: Buffer): InboundMessage | ErrorCode {
    try {
      return readEnvelope(frame.sender.session.codec.decode(bytes));
    } catch (error) {
      this.events.emit('received', 'unknown', frame.size);
      const id = error instanceof EnvelopeError ? error.id : undefined;
      this.refuse(frame, { type: 'unknown', id }, error);
      return error instanceof EnvelopeError ? error.code : 'INVALID_MESSAGE_FORMAT';
    }
  }

  /** The message reaches no handler. The error is sent at once, or after the replies before it. */
  private refuse({ sender, size: bytes }: InboundFrame, { type, id, trace }: Refusable, reason: unknown): void {
    const { session, previous } = sender;
    const answer = (): void => this.answers.refusal({ session, type, id, trace, bytes }, reason);
    if (previous) void previous.then(answer);
    else answer();
  }

  private call(handler: Handler, context: MessageContext): Promise<void> | undefined {
    let result: unknown;
    let isLater: boolean;
    try {
      result = handler.invoke(context, context.message.data);
      // Inside the try, because a Proxy may throw when its `then` is read.
      isLater = comesLater(result);
    } catch (exception) {
      const recovering = this.answers.failure(handler, context, exception);
      if (recovering === undefined) this.settle(handler, context);
      return recovering?.finally(() => this.settle(handler, context));
    }
    if (isLater) {
      return this.finishLater(handler, context, result);
    }
    this.answers.reply(handler, context, result);
    this.settle(handler, context);
    return undefined;
  }

  /** Messages before it are not answered yet: it begins, and is answered when they are. */
  private callBehind(handler: Handler, context: MessageContext, previous: Promise<void>): Promise<void> {
    const result = invoked(handler, context);
    // Handled below, when its turn comes. Until then a rejection must not be reported as unhandled.
    result.catch(() => {});
    return this.finishLater(handler, context, result, previous);
  }

  private settle({ type, name }: Handler, context: MessageContext): void {
    try {
      context.replied();
    } catch (exception) {
      this.events.crash(name, exception, context);
    }
    this.events.emit('handled', type, performance.now() - context.arrivedAt, context);
  }

  private async finishLater(
    handler: Handler,
    context: MessageContext,
    result: unknown,
    previous?: Promise<void>,
  ): Promise<void> {
    try {
      if (previous) await previous;
      const value: unknown = await result;
      if (!isObservable(value)) return this.answers.reply(handler, context, value);
      await this.streams.follow(context.session, value, {
        next: (item) => this.answers.reply(handler, context, item),
        empty: () => this.answers.reply(handler, context, undefined),
        error: (exception) => this.answers.failure(handler, context, exception),
        crashed: (exception) => this.events.crash(handler.name, exception, context),
      });
    } catch (exception) {
      await this.answers.failure(handler, context, exception);
    } finally {
      this.settle(handler, context);
    }
  }
}

/** Any error becomes a rejection. */
async function invoked(handler: Handler, context: MessageContext): Promise<unknown> {
  return handler.invoke(context, context.message.data);
}

/** Any thenable counts as a promise, for example of a query builder. */
function comesLater(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return false;
  return isObservable(result) || typeof (result as { then?: unknown }).then === 'function';
}

/** Takes the additional tokens of the type. Undefined if they are available. */
function shortageOf({ cost }: Handler, frame: InboundFrame): Shortage | undefined {
  if (frame.isPaid) return undefined;
  const { tokens, arrivedAt, overRateFor } = frame;
  const { rate } = frame.sender;
  const whole = tokens + cost - 1;
  const milliseconds = overRateFor > 0 ? rate.waitFor(arrivedAt, whole) : rate.raise(arrivedAt, tokens, whole);
  return milliseconds > 0 ? { tokens: whole, milliseconds } : undefined;
}

function refusalOf(handler: Handler | undefined, overRateFor: number): GatehouseError | undefined {
  if (overRateFor > 0) return new GatehouseError('RATE_LIMIT_EXCEEDED', { retryAfter: overRateFor });
  return handler ? undefined : new GatehouseError('UNKNOWN_MESSAGE_TYPE');
}

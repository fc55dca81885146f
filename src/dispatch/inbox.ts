import type { AddressRecord } from '../access/address-book.js';
import type { MessageRate } from '../access/message-rate.js';
import type { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import type { ConnectionListener } from '../socket/connection.js';
import type { OverflowReason } from '../socket/outbound-budget.js';
import type { ShedReason } from '../socket/outbound-queue.js';
import type { Dispatcher } from './dispatcher.js';
import type { Handlers } from './message-table.js';

/** What all inboxes of one path share. */
export interface InboxContext {
  readonly handlers: Handlers;
  readonly dispatcher: Dispatcher;
  readonly events: SessionEvents;
  /** Whether messages over the rate wait for their token instead of being answered with an error. */
  readonly throttles: boolean;
  readonly maxPending: number;
  /** Malformed messages in a row before the connection closes; zero: never. */
  readonly maxProtocolErrors: number;
  onClosed(inbox: Inbox, code: number, reason: string): void;
}

interface Owner {
  readonly session: Session;
  readonly rate: MessageRate;
  /** The place that the connection takes, to be given back when it closes. */
  readonly place: AddressRecord;
}

/** Bytes of waiting messages beyond which reading pauses, however few messages they are. */
const MAX_PENDING_BYTES = 1_048_576;

/** One connection's messages, in order, one at a time. What cannot be handled yet waits here, and reading pauses. */
export class Inbox implements ConnectionListener {
  private waiting: Buffer[] | undefined;
  private waitingBytes = 0;
  private isBusy = false;
  private malformedInARow = 0;
  readonly session: Session;
  readonly place: AddressRecord;
  private readonly rate: MessageRate;

  constructor(
    { session, rate, place }: Owner,
    private readonly context: InboxContext,
  ) {
    this.session = session;
    this.rate = rate;
    this.place = place;
  }

  message(bytes: Buffer, isBinary: boolean): void {
    const { session } = this;
    // What comes after we have closed is not handled: a client need not hurry to answer the close frame.
    if (session.isLeaving || !session.connection.isOpen) return;
    if (isBinary !== (session.codec.frameKind === 'binary')) return session.close('wrong_frame_kind');
    session.messagesReceived += 1;
    if (this.isBusy) this.postpone(bytes);
    else this.take(bytes);
  }

  closed(code: number, reason: string): void {
    this.waiting = undefined;
    this.context.onClosed(this, code, reason);
  }

  overflowed(reason: OverflowReason, droppedFrames: number): void {
    this.context.events.emit('overflowed', this.session, reason, droppedFrames);
  }

  shed(reason: ShedReason, droppedFrames: number): void {
    this.context.events.emit('shed', reason, droppedFrames);
  }

  roundTrip(milliseconds: number): void {
    this.context.events.emit('roundTrip', milliseconds);
  }

  vanished(): void {
    this.context.events.emit('vanished', this.session);
  }

  private take(bytes: Buffer): void {
    const arrivedAt = performance.now();
    const overRateFor = this.rate.take(arrivedAt);
    if (overRateFor > 0 && this.context.throttles) return this.waitForToken(bytes, overRateFor);

    const { session } = this;
    const { handlers, dispatcher } = this.context;
    const { isEnvelope, pending } = dispatcher.dispatch({ session, handlers, bytes, arrivedAt, overRateFor });
    if (!isEnvelope) return this.countMalformed();
    this.malformedInARow = 0;
    if (pending) this.occupy(pending);
  }

  private countMalformed(): void {
    this.malformedInARow += 1;
    const { maxProtocolErrors } = this.context;
    if (maxProtocolErrors > 0 && this.malformedInARow >= maxProtocolErrors)
      this.session.close('too_many_protocol_errors');
  }

  /** A token is missing: this message is the next to be handled, once there is one. TCP pushes back meanwhile. */
  private waitForToken(bytes: Buffer, milliseconds: number): void {
    this.waiting = [bytes, ...(this.waiting ?? [])];
    this.waitingBytes += bytes.length;
    this.session.connection.pause();
    this.occupy(new Promise((resolve) => setTimeout(resolve, milliseconds).unref()));
  }

  private occupy(pending: Promise<void>): void {
    this.isBusy = true;
    this.session.setBusy(true);
    void pending.then(() => this.resume());
  }

  private postpone(bytes: Buffer): void {
    this.waiting ??= [];
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    if (this.waiting.length >= this.context.maxPending || this.waitingBytes >= MAX_PENDING_BYTES) {
      this.session.connection.pause();
    }
  }

  private resume(): void {
    this.isBusy = false;
    for (let bytes = this.nextWaiting(); bytes !== undefined; bytes = this.nextWaiting()) {
      this.take(bytes);
      // take() may have found an asynchronous handler, which the compiler cannot see.
      if (this.isBusy as boolean) return;
    }
    this.session.connection.resume();
    this.session.setBusy(false);
  }

  private nextWaiting(): Buffer | undefined {
    if (!this.session.connection.isOpen) this.waiting = undefined;
    const bytes = this.waiting?.shift();
    this.waitingBytes -= bytes?.length ?? 0;
    return bytes;
  }
}

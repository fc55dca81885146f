import type { AddressRecord } from '../access/address-book.js';
import type { MessageRate } from '../access/message-rate.js';
import type { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import type { ConnectionListener } from '../socket/connection.js';
import type { OverflowReason } from '../socket/outbound-budget.js';
import type { ShedReason } from '../socket/outbound-queue.js';
import type { Dispatcher } from './dispatcher.js';
import type { Predecessor } from './message-context.js';
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
/** Messages that have let the next one begin and are not answered yet; beyond it the next one waits after all. */
const MAX_RUNNING = 64;

/** The message in hand: it may let the next one begin before it is answered itself. */
class Hand implements Predecessor {
  hasLetNextBegin = false;
  /** Set once it is known that its answer comes later. */
  pending: Promise<void> | undefined;

  constructor(private readonly inbox: Inbox) {}

  letNextBegin(): void {
    if (this.hasLetNextBegin) return;
    this.hasLetNextBegin = true;
    if (this.pending) this.inbox.release(this.pending);
  }
}

/**
 * One connection's messages, in order, one at a time unless a handler lets the next one begin. What cannot be handled yet
 * waits here, and reading pauses.
 */
export class Inbox implements ConnectionListener {
  private waiting: Buffer[] | undefined;
  private waitingBytes = 0;
  private isBusy = false;
  /** What the next message waits for. */
  private inHand: Promise<void> | undefined;
  /** Resolves when all that have let the next one begin are answered. */
  private previous: Promise<void> | undefined;
  private running = 0;
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
    const { previous } = this;
    const hand = new Hand(this);
    const delivery = { session, handlers, bytes, arrivedAt, overRateFor, previous, predecessor: hand };
    const { isEnvelope, pending } = dispatcher.dispatch(delivery);
    if (!isEnvelope) return this.countMalformed();
    this.malformedInARow = 0;
    if (pending === undefined) return;
    this.occupy(pending);
    hand.pending = pending;
    if (hand.hasLetNextBegin) this.release(pending);
  }

  /** @internal a message that is not answered yet lets the next one begin */
  release(pending: Promise<void>): void {
    if (pending !== this.inHand || this.running >= MAX_RUNNING) return;
    this.inHand = undefined;
    this.previous = pending;
    this.running += 1;
    this.resume();
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
    this.inHand = pending;
    this.session.setBusy(true);
    void pending.then(() => this.ended(pending));
  }

  private ended(pending: Promise<void>): void {
    if (pending === this.previous) this.previous = undefined;
    if (pending === this.inHand) return this.resume();
    this.running -= 1;
    this.rest();
  }

  /** Nothing is to be done any more, unless something is. */
  private rest(): void {
    if (!this.isBusy && this.running === 0) this.session.setBusy(false);
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
    this.inHand = undefined;
    for (let bytes = this.nextWaiting(); bytes !== undefined; bytes = this.nextWaiting()) {
      this.take(bytes);
      // take() may have found an asynchronous handler, which the compiler cannot see.
      if (this.isBusy as boolean) return;
    }
    this.session.connection.resume();
    this.rest();
  }

  private nextWaiting(): Buffer | undefined {
    if (!this.session.connection.isOpen) this.waiting = undefined;
    const bytes = this.waiting?.shift();
    this.waitingBytes -= bytes?.length ?? 0;
    return bytes;
  }
}

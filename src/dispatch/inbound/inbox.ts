import type { AddressRecord } from '../../access/limits/address-book.js';
import type { MessageRate } from '../../access/limits/message-rate.js';
import type { SessionEvents, UnhandledReason } from '../../sessions/session-events.js';
import type { Session } from '../../sessions/session.js';
import type { ConnectionListener } from '../../socket/connection-listener.js';
import { Backlog } from './backlog.js';
import { ConnectionReports } from './connection-reports.js';
import type { Dispatcher, Shortage } from '../dispatcher.js';
import { InboundFrame } from './inbound-frame.js';
import type { Handlers } from '../message-table.js';
import { AnswerTimeout } from './answer-timeout.js';
import { OverRate } from './over-rate.js';

/** The parts that all inboxes of one path share. */
export interface InboxContext {
  readonly handlers: Handlers;
  readonly dispatcher: Dispatcher;
  readonly events: SessionEvents;
  /** The cost of a message by its size; undefined if it is always 1. */
  readonly costOfSize: ((bytes: number) => number) | undefined;
  /** Refused messages in a row before the connection closes. 0: never. */
  readonly abuseBanAfter: number;
  readonly maxPending: number;
  /** Messages in one frame of a subprotocol whose frames can have several. */
  readonly maxBatch: number;
  /** How long running messages may take after their client has left, while others wait behind them. */
  readonly patienceMs: number;
  /** Malformed messages in a row before the connection closes. 0: never. */
  readonly maxProtocolErrors: number;
  /** The session keeps sending over its rate. */
  onAbuse(inbox: Inbox): void;
  onClosed(inbox: Inbox, code: number, reason: string): void;
}

interface Owner {
  readonly session: Session;
  readonly rate: MessageRate;
  /** The place of the connection, to be given back when it closes. */
  readonly place: AddressRecord;
}

/** Bytes of waiting messages beyond which reading pauses, however few messages they are. */
const MAX_PENDING_BYTES = 1_048_576;
/** Running messages that have let the next one begin. Beyond it the next one waits. */
const MAX_RUNNING = 64;

/**
 * The messages of one connection, handled in order, one at a time unless a handler lets the next one begin. Messages
 * that cannot be handled yet wait here, and reading pauses. Messages that arrived before the client closed are handled
 * before its session ends.
 */
export class Inbox extends ConnectionReports implements ConnectionListener {
  private readonly waiting = new Backlog();
  private isBusy = false;
  /** The next message waits for this. */
  private inHand: Promise<void> | undefined;
  /** Resolves when all messages that have let the next one begin have their reply. */
  previous: Promise<void> | undefined;
  private running = 0;
  private malformedInARow = 0;
  /** The cost of the first waiting message, if it has been read already; 0 if unknown. */
  private knownCost = 0;
  private overRate: OverRate | undefined;
  /** How the connection has closed, until the session ends. */
  private end: { readonly code: number; readonly reason: string } | undefined;
  /** Set when the connection has closed. */
  private patience: AnswerTimeout | undefined;
  readonly session: Session;
  readonly place: AddressRecord;
  readonly rate: MessageRate;

  constructor(
    { session, rate, place }: Owner,
    private readonly context: InboxContext,
  ) {
    super();
    this.session = session;
    this.rate = rate;
    this.place = place;
  }

  protected get events(): SessionEvents {
    return this.context.events;
  }

  get handlers(): Handlers {
    return this.context.handlers;
  }

  get waitingMessages(): number {
    return this.waiting.length;
  }

  get waitingBytes(): number {
    return this.waiting.bytes;
  }

  message(bytes: Buffer, isBinary: boolean): void {
    const messages = isBinary ? undefined : this.session.codec.split?.(bytes, this.context.maxBatch);
    if (messages === undefined) return this.arrive(bytes, isBinary);
    for (const message of messages) this.arrive(message, isBinary);
  }

  private arrive(bytes: Buffer, isBinary: boolean): void {
    const { session } = this;
    // Messages after the server has closed are not handled: a client may take its time to answer the close frame.
    if (!session.connection.isServed) return this.tellUnhandled('closed_by_server', 1);
    if (session.isLeaving) return this.tellUnhandled('draining', 1);
    if (isBinary !== (session.codec.frameKind === 'binary')) return session.close('wrong_frame_kind');
    session.messagesReceived += 1;
    if (this.isBusy) this.postpone(bytes);
    else this.take(bytes);
  }

  closed(code: number, reason: string): void {
    this.end = { code, reason };
    if (!this.session.connection.isServed) return this.finish('connection_lost');
    if (!this.isBusy && this.running === 0) return this.finish('unanswered');
    this.patience = new AnswerTimeout(this.context.patienceMs, () => this.finish('unanswered'));
    this.patience.restart(this.waiting.length > 0);
  }

  cutShort(): void {
    this.overRate?.end();
    if (this.end) this.finish('closed_by_server');
    else this.tellUnhandled('closed_by_server', this.waiting.clear());
  }

  private take(bytes: Buffer): void {
    const arrivedAt = performance.now();
    const { rate, context, knownCost } = this;
    const tokens = knownCost > 0 ? knownCost : (context.costOfSize?.(bytes.length) ?? 1);
    const overRateFor = rate.take(arrivedAt, tokens);
    if (overRateFor > 0) {
      if (rate.waits) return this.waitForTokens(bytes, { tokens: knownCost, milliseconds: overRateFor });
      if (this.refusals.refusesUnread(bytes.length, arrivedAt)) return;
    }

    this.knownCost = 0;
    const frame = new InboundFrame(this, bytes.length, arrivedAt);
    frame.tokens = tokens;
    frame.isPaid = knownCost > 0;
    frame.overRateFor = overRateFor;
    const { isEnvelope, pending, shortage } = context.dispatcher.dispatch(frame, bytes);
    if (shortage !== undefined && rate.waits) return this.waitForTokens(bytes, shortage);
    if (overRateFor > 0) this.refusals.refused(arrivedAt);
    else if (shortage !== undefined) this.refusals.refusedAsDear(bytes.length, { now: arrivedAt, tokens });
    if (!isEnvelope) return this.countMalformed();
    this.malformedInARow = 0;
    if (!pending) return;
    this.occupy(pending);
    frame.pending = pending;
    if (frame.hasLetNextBegin) this.release(pending);
  }

  /** @internal A message without a reply lets the next one begin. */
  release(pending: Promise<void>): void {
    if (pending !== this.inHand || this.running >= MAX_RUNNING) return;
    this.inHand = undefined;
    this.previous = pending;
    this.running += 1;
    this.resume();
  }

  private get refusals(): OverRate {
    const { context } = this;
    return (this.overRate ??= new OverRate(this, { ...context, onAbuse: () => context.onAbuse(this) }));
  }

  private countMalformed(): void {
    this.malformedInARow += 1;
    const { maxProtocolErrors } = this.context;
    if (maxProtocolErrors > 0 && this.malformedInARow >= maxProtocolErrors)
      this.session.close('too_many_protocol_errors');
  }

  /** Not enough tokens: this message is handled next, when they are available. TCP slows the client down meanwhile. */
  private waitForTokens(bytes: Buffer, { tokens, milliseconds }: Shortage): void {
    this.knownCost = tokens;
    this.waiting.addFirst(bytes);
    this.pauseReading();
    this.occupy(new Promise((resolve) => setTimeout(resolve, milliseconds).unref()));
    this.patience?.pause();
  }

  /** After either side has begun to close, the socket must be read to its end. */
  private pauseReading(): void {
    const { connection } = this.session;
    if (connection.isOpen) connection.pause();
  }

  private occupy(pending: Promise<void>): void {
    this.isBusy = true;
    this.inHand = pending;
    this.session.setBusy(true);
    this.patience?.restart(this.waiting.length > 0);
    void pending.then(() => this.ended(pending));
  }

  private ended(pending: Promise<void>): void {
    if (pending === this.previous) this.previous = undefined;
    if (pending === this.inHand) return this.resume();
    this.running -= 1;
    this.rest();
  }

  /** Nothing is left to do, unless a message waits or runs. */
  private rest(): void {
    if (this.isBusy || this.running > 0) return;
    this.session.setBusy(false);
    this.finish('unanswered');
  }

  private postpone(bytes: Buffer): void {
    this.waiting.add(bytes);
    if (this.waiting.length >= this.context.maxPending || this.waiting.bytes >= MAX_PENDING_BYTES) this.pauseReading();
  }

  private resume(): void {
    this.isBusy = false;
    this.inHand = undefined;
    for (let bytes = this.waiting.next(); bytes !== undefined; bytes = this.waiting.next()) {
      this.take(bytes);
      // take() may have found an asynchronous handler, which the compiler cannot see.
      if (this.isBusy as boolean) return;
    }
    this.session.connection.resume();
    this.patience?.restart(this.waiting.length > 0);
    this.rest();
  }

  /** Ends the session, if its connection has closed. Waiting messages are not handled. */
  private finish(reason: UnhandledReason): void {
    const { end, session } = this;
    if (end === undefined) return;
    this.end = undefined;
    this.patience?.pause();
    this.overRate?.end();
    session.connection.isServed = false;
    this.tellUnhandled(reason, this.waiting.clear());
    this.context.onClosed(this, end.code, end.reason);
  }

  private tellUnhandled(reason: UnhandledReason, messages: number): void {
    if (messages > 0) this.events.emit('unhandled', reason, messages);
  }
}

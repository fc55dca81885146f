import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { BREACHES } from '../protocol/breaches.js';
import { CLOSES, type CloseName } from '@gatehouse/protocol';
import { discardInput } from './close-timeout.js';
import type { ConnectionListener, PingMark } from './connection-listener.js';
import type { ConnectionContext } from './connection-context.js';
import type { ControlCounter, ControlRate } from './control-rate.js';
import { frame, OPCODE, payloadOf, PING_FRAME, refuseUnsendableClose } from './frame.js';
import type { Shedding } from './held-frames.js';
import { listen, type Listening } from './listening.js';
import type { OverflowReason } from './outbound-budget.js';
import type { OutboundObserver, ShedReason } from './outbound-observer.js';
import type { ListFormat } from './outbound-context.js';
import { markPing, notePong, type PingState } from './ping-state.js';
import type { Receipt } from './receipt.js';
import { arrivalOf, arrivedBytes, breachOf, hasCloseArrived, type Arrival } from './receiver.js';
import type { ConnectionQueue } from './tapped-queue.js';
import { addNewTraffic, type Traffic } from './traffic.js';

type SendCallback = (error?: Error) => void;

/**
 * A live connection. `ws` reads, and we write: every data frame goes through the bounded outbound queue, and a close
 * frame leaves after everything that was sent before it.
 */
export class Connection extends WebSocket implements OutboundObserver, ControlCounter, Listening, PingState {
  /** Data frames that the queue has taken so far. */
  framesSent = 0;
  /** How often other code wrote with `send`, which shows whether an exception filter has replied itself. */
  sentByHand = 0;
  /** Whole messages and control frames so far, which tell one incoming message from the next. */
  ordinal = 0;
  controlSecond = 0;
  controlFrames = 0;
  private resumes = 0;
  pingedAt = 0;
  sentBeforePing = 0;
  readBytes = 0;
  /** False after the server ends the connection or the session is over: no more messages are handled. */
  isServed = true;
  /** The client will send nothing more, after a close frame or a FIN. */
  private hasClientEnded = false;
  /** `ws` has answered the client's close frame. */
  private hasAnsweredClose = false;
  /** The code of the first close frame: ours, or our answer to the peer's. */
  private closeCode: number | undefined;
  /** Bytes on the network that have been reported already. */
  bytesInTold = 0;
  bytesOutTold = 0;
  outbound!: ConnectionQueue;
  private raw!: Duplex & { readonly bytesRead?: number };
  private listener!: ConnectionListener;
  private controlRate!: ControlRate;

  /** Called by the upgrade directly after the handshake, in the same turn. */
  attach(socket: Duplex, context: ConnectionContext, listener: ConnectionListener, lists?: ListFormat): void {
    this.raw = socket;
    this.listener = listener;
    this.controlRate = context.controlRate;
    this.outbound = new context.Queue(socket, context, this, lists);
    listen(this, socket);
  }

  /** Takes a frame built by `frame()`. Returns false if the connection is closing or too slow. */
  enqueue(bytes: Buffer, shedding?: Shedding): boolean {
    if (!this.isOpen || !this.outbound.enqueue(bytes, shedding)) return false;
    this.framesSent += 1;
    return true;
  }

  /** Requests a receipt for everything that was sent so far. It is given only if a namespace has a ledger. */
  follow(receipt: Receipt): void {
    this.outbound.follow(receipt);
  }

  /** The `send` of `ws`, for gateways that hold the socket. It uses the same queue. */
  override send(data: unknown, options?: unknown, callback?: SendCallback): void {
    this.sentByHand += 1;
    const done = typeof options === 'function' ? (options as SendCallback) : callback;
    const isBinary = (options as { binary?: boolean } | undefined)?.binary ?? typeof data !== 'string';
    const accepted = this.enqueue(frame(isBinary ? OPCODE.binary : OPCODE.text, payloadOf(data)));
    done?.(accepted ? undefined : new Error('The connection is closing or its reader is too slow'));
  }

  override close(code?: number, reason?: string | Buffer): void {
    const breach = reason === undefined && this.isOpen ? breachOf(this) : undefined;
    // `ws` gives the code of a breach and no reason.
    const told = breach === undefined ? reason : CLOSES[breach].reason;
    // Before the queue ends, because `ws` throws for these, and the connection would stay open but could not write.
    refuseUnsendableClose(code, told);
    this.noteEnd();
    this.closeCode ??= code;
    this.outbound.end();
    super.close(code, told);
    if (breach !== undefined) this.listener.breached(breach);
  }

  override terminate(): void {
    this.cutShort();
    super.terminate();
  }

  /** Closes with a code of the registry; `reason` replaces the text of the registry. */
  closeAs(name: CloseName, reason: string = CLOSES[name].reason): void {
    const isBreach = this.isOpen && BREACHES.has(name);
    this.close(CLOSES[name].code, reason);
    if (!isBreach) return;
    discardInput(this.raw);
    this.listener.breached(name);
  }

  /** False after either side has begun to close. */
  get isOpen(): boolean {
    return this.readyState === WebSocket.OPEN;
  }

  /** The message that is arriving. */
  get arrival(): Arrival {
    return arrivalOf(this);
  }

  /** Bytes of an incomplete message. */
  get arrivedBytes(): number {
    return arrivedBytes(this);
  }

  /** Bytes that wait for this reader. */
  get waitingBytes(): number {
    return this.outbound.waitingBytes;
  }

  /** Frames that wait for this reader, without those in its socket. */
  get waitingFrames(): number {
    return this.outbound.waitingFrames;
  }

  /** Messages that wait to be handled. */
  get unhandledMessages(): number {
    return this.listener.waitingMessages;
  }

  get unhandledBytes(): number {
    return this.listener.waitingBytes;
  }

  /** Adds the bytes on the network since the last call. */
  tellTraffic(sum: Traffic): void {
    addNewTraffic(this.raw, this, sum);
  }

  /** Sends a ping. Returns what had been read and written by then, for `cutIfSilent`. */
  override ping(): PingMark {
    const mark = { ...markPing(this, this.raw), resumes: this.resumes, progress: this.outbound.progress };
    if (this.isOpen) this.outbound.enqueueControl('ping', PING_FRAME);
    return mark;
  }

  override resume(): void {
    if (this.isPaused) this.resumes += 1;
    super.resume();
  }

  /** Whether anything arrived since the ping, or the socket could write anything: a ping behind a full socket waits. */
  hasSpokenSince({ bytesRead, progress }: PingMark): boolean {
    if ((this.raw.bytesRead ?? 0) > bytesRead) return true;
    return progress !== undefined && this.outbound.hasMovedSince(progress);
  }

  /** Terminates the connection if nothing did. A timestamp for each message would cost more than asking the socket. */
  cutIfSilent(mark: PingMark): void {
    // Data that arrived while we did not read counts, although it is still unread directly after a resume.
    if (this.isPaused || this.raw.isPaused() || this.resumes > mark.resumes) return;
    if (!this.isOpen || this.hasSpokenSince(mark)) return;
    this.listener.vanished();
    this.terminate();
  }

  /** @internal The limit of the queue is exceeded. */
  overflowed(reason: OverflowReason, droppedFrames: number): void {
    this.listener.overflowed(reason, droppedFrames);
    this.closeAs('slow_consumer');
  }

  /** @internal The queue dropped frames that may be dropped. */
  shed(reason: ShedReason, droppedFrames: number): void {
    this.listener.shed(reason, droppedFrames);
  }

  /** Takes what `ws` emits without listeners, which each connection would have to keep. */
  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event === 'message') this.receive(values[0] as Buffer, values[1] as boolean);
    else if (event === 'ping') this.pinged(values[0] as Buffer);
    else if (event === 'pong') this.ponged();
    else if (event === 'close') this.end(values[0] as number, String(values[1]));
    // A breach, which is counted by now. Without a listener, EventEmitter would throw.
    else if (event === 'error' && this.listenerCount('error') === 0) return true;
    return super.emit(event, ...values);
  }

  private receive(bytes: Buffer, isBinary: boolean): void {
    this.ordinal += 1;
    this.listener.message(bytes, isBinary);
  }

  private pinged(payload: Buffer): void {
    if (this.admitsControlFrame()) this.outbound.enqueueControl('pong', frame(OPCODE.pong, payload));
  }

  private ponged(): void {
    const roundTripMs = this.admitsControlFrame() ? notePong(this) : undefined;
    if (roundTripMs !== undefined) this.listener.roundTrip(roundTripMs);
  }

  private admitsControlFrame(): boolean {
    if (!this.isOpen) return false;
    if (this.arrival !== 'in_fragments') this.ordinal += 1;
    const isWithinRate = this.controlRate.count(this, performance.now());
    if (!isWithinRate) this.closeAs('too_many_control_frames');
    return isWithinRate;
  }

  /** `ws` calls `close` once to answer the client's close frame; every other call is the server's. */
  private noteEnd(): void {
    if (this.hasAnsweredClose || !hasCloseArrived(this)) return this.cutShort();
    this.hasAnsweredClose = true;
    this.hasClientEnded = true;
  }

  private cutShort(): void {
    if (!this.isServed) return;
    this.isServed = false;
    this.listener.cutShort();
  }

  /** @internal The client sends nothing more. `ws` ends our side next, after the replies that were sent already. */
  clientEnded(): void {
    if (!this.isOpen) return;
    this.hasClientEnded = true;
    this.outbound.end();
  }

  private end(code: number, reason: string): void {
    this.outbound.discard();
    if (!this.hasClientEnded) this.isServed = false;
    // `ws` reports 1006 whenever the closing handshake was not finished, as with a reader that never reads again.
    this.listener.closed(this.closeCode ?? code, reason);
  }
}

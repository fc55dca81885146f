import type { Duplex } from 'node:stream';
import { JOIN_LIMIT_BYTES, type Flushable, type FlushTurn } from './flush-turn.js';
import { HeldFrames, type Shedding } from './held-frames.js';
import type { HoldingQueue, OutboundBudget, OverflowReason } from './outbound-budget.js';
import type { DropReason, Receipt } from './receipt.js';

/** Frames smaller than this are copied together even when there are many: a vector of thousands of chunks costs more. */
const SMALL_FRAME_BYTES = 4 * 1024;
const NOTHING = Buffer.alloc(0);

export const OUTBOUND_CONTEXT = Symbol('OutboundContext');

/** What all queues of a node share. */
export interface OutboundContext {
  readonly turn: FlushTurn;
  readonly budget: OutboundBudget;
  /** Bytes that may wait for one reader. One frame is always accepted on top, so that a large reply passes. */
  readonly limitBytes: number;
}

export interface OutboundObserver {
  /** Called once, when the bound is crossed; the queue is empty and ended by then. */
  overflowed(reason: OverflowReason, droppedFrames: number): void;
  /** Frames that may be dropped were, and the connection goes on. */
  shed(reason: ShedReason, droppedFrames: number): void;
}

/** Why frames were dropped: a newer one with the same key came, there was no room, or they came too late to be of use. */
export const SHED_REASONS = ['latest', 'drop_oldest', 'expired', 'unreadable'] as const;
export type ShedReason = (typeof SHED_REASONS)[number];

/**
 * The frames that wait for one socket. They leave at the end of the event-loop turn in one write.
 * While the socket is above its high-water mark they stay here, where they can still be dropped,
 * counted and bounded, instead of in the stream's own endless buffer.
 */
export class OutboundQueue implements Flushable, HoldingQueue {
  private frames: Buffer[] = [];
  private bytes = 0;
  private inTurn = false;
  protected state: 'flowing' | 'blocked' | 'ended' = 'flowing';
  /** What waits while the socket is above its mark; made on the first such occasion. */
  private waiting: HeldFrames | undefined;
  /** Bytes this queue has reported to the budget. */
  heldBytes = 0;

  constructor(
    protected readonly socket: Duplex,
    private readonly context: OutboundContext,
    private readonly observer: OutboundObserver,
  ) {}

  /** Bytes that wait: here, and in the socket's own buffer. */
  get waitingBytes(): number {
    return this.bytes + (this.waiting?.bytes ?? 0) + this.socket.writableLength;
  }

  /** Frames that wait here. */
  get waitingFrames(): number {
    return this.frames.length + (this.waiting?.length ?? 0);
  }

  get hasEnded(): boolean {
    return this.state === 'ended';
  }

  /**
   * Takes a whole frame to be written at the end of this turn.
   *
   * @param shedding how the frame may be dropped while it waits for a slow reader; undefined: not at all
   * @returns false when the queue has ended, or ended by this very frame because its reader is too slow
   */
  enqueue(frame: Buffer, shedding?: Shedding): boolean {
    if (this.state === 'ended') return false;
    if (this.state === 'blocked') return this.hold(frame, shedding);

    this.frames.push(frame);
    this.bytes += frame.length;
    if (!this.inTurn) {
      this.inTurn = true;
      this.context.turn.add(this);
    }
    if (this.bytes >= JOIN_LIMIT_BYTES) this.flush();
    return true;
  }

  /** Asks for a receipt of all that was taken so far. Only a ReceiptedQueue gives it. */
  follow(receipt: Receipt): void {
    const shedding: Shedding = { policy: 'disconnect', key: '', receipt };
    // Nothing is never too much: it is not held against the bound.
    if (this.state === 'blocked') this.held().add(NOTHING, shedding);
    else this.enqueue(NOTHING, shedding);
  }

  /** Called by the turn that this queue joined. */
  endTurn(): void {
    this.inTurn = false;
    if (this.state === 'flowing') this.flush();
  }

  /** Hands everything to the socket at once, slow or not: what is to be written next comes behind it. */
  end(): void {
    if (this.state === 'ended') return;
    this.takeWaiting();
    if (!this.socket.destroyed) this.write();
    this.discard();
  }

  /**
   * Drops what waits and takes nothing more. Returns how many frames were dropped. What a slow socket holds already goes on
   * counting, for it stays in memory until the client takes it or the socket is destroyed.
   */
  discard(reason: DropReason = 'closed'): number {
    for (const receipt of this.waiting?.receipts() ?? []) receipt.dropped(reason);
    const dropped = this.frames.length + (this.waiting?.clear() ?? 0);
    this.frames = [];
    this.bytes = 0;
    this.state = 'ended';
    this.report();
    return dropped;
  }

  /** The bound is crossed: drops what waits and reports it; or what its socket holds, where that has happened before. */
  overflow(reason: OverflowReason): void {
    if (this.hasEnded) {
      this.socket.destroy();
      this.report();
      return;
    }
    this.observer.overflowed(reason, this.discard(reason));
  }

  private hold(frame: Buffer, shedding: Shedding | undefined): boolean {
    const waiting = this.held();
    if (shedding) this.shed('latest', waiting.dropReplacedBy(shedding));
    this.makeRoom(waiting);
    if (this.isFull() && shedding && shedding.policy !== 'disconnect') {
      this.report();
      shedding.receipt?.dropped('drop_oldest');
      // Counts as taken: that it is dropped is what the channel's policy wants.
      return this.shed('drop_oldest', 1);
    }
    if (this.isFull()) this.shed('expired', waiting.dropExpired(Date.now()));
    const isFull = this.isFull();
    waiting.add(frame, shedding);
    if (isFull) this.overflow('slow_consumer');
    else this.report();
    return !this.hasEnded;
  }

  private held(): HeldFrames {
    this.waiting ??= new HeldFrames();
    return this.waiting;
  }

  private makeRoom(waiting: HeldFrames): void {
    let dropped = 0;
    while (this.isFull() && waiting.dropOldest() > 0) dropped += 1;
    this.shed('drop_oldest', dropped);
  }

  private isFull(): boolean {
    return this.waitingBytes >= this.context.limitBytes;
  }

  private shed(reason: ShedReason, droppedFrames: number): true {
    if (droppedFrames > 0) this.observer.shed(reason, droppedFrames);
    return true;
  }

  private flush(): void {
    this.write();
    if (!this.socket.writableNeedDrain) return;
    this.state = 'blocked';
    this.socket.once('drain', () => this.unblock());
    this.report();
  }

  private unblock(): void {
    if (this.state !== 'blocked') return;
    this.takeWaiting();
    this.state = 'flowing';
    this.report();
    this.flush();
  }

  private takeWaiting(): void {
    if (this.waiting === undefined || this.waiting.length === 0) return;
    this.shed('expired', this.waiting.dropExpired(Date.now()));
    this.release(this.waiting);
  }

  /** What has waited leaves with the next write. */
  protected release(waiting: HeldFrames): void {
    const frames = waiting.takeAll();
    for (const frame of frames) this.bytes += frame.length;
    this.frames = this.frames.concat(frames);
  }

  /** Tells the node's budget how much this queue holds now: nothing, unless its reader is slow. */
  private report(): void {
    const holdsNow = this.isSlow() && !this.socket.destroyed ? this.waitingBytes : 0;
    const change = holdsNow - this.heldBytes;
    this.heldBytes = holdsNow;
    if (holdsNow > 0) this.context.budget.hold(this, change);
    else if (change !== 0) this.context.budget.release(this, -change);
  }

  private isSlow(): boolean {
    return this.state === 'blocked' || (this.state === 'ended' && this.socket.writableNeedDrain);
  }

  private write(): void {
    const { frames, bytes } = this;
    if (frames.length === 0) return;
    this.frames = [];
    this.bytes = 0;
    this.context.turn.bytesSent += bytes;
    this.hand(frames, bytes);
  }

  /** @param done called when the operating system has taken all of them, or when that has failed */
  protected hand(frames: readonly Buffer[], bytes: number, done?: (error?: Error | null) => void): void {
    const { socket } = this;
    if (frames.length === 1) {
      socket.write(frames[0], done);
    } else if (bytes <= JOIN_LIMIT_BYTES || bytes / frames.length < SMALL_FRAME_BYTES) {
      socket.write(this.context.turn.join(frames, bytes), done);
    } else {
      const last = frames.length - 1;
      socket.cork();
      frames.forEach((frame, index) => socket.write(frame, index === last ? done : undefined));
      socket.uncork();
    }
  }
}

import type { Duplex } from 'node:stream';
import { JOIN_LIMIT_BYTES, type Flushable, type FlushTurn } from './flush-turn.js';
import type { HoldingQueue, OutboundBudget, OverflowReason } from './outbound-budget.js';

/** Frames smaller than this are copied together even when there are many: a vector of thousands of chunks costs more. */
const SMALL_FRAME_BYTES = 4 * 1024;

export const OUTBOUND_CONTEXT = Symbol('OutboundContext');

/** What all queues of a node share. */
export interface OutboundContext {
  readonly turn: FlushTurn;
  readonly budget: OutboundBudget;
  /** Bytes that may wait for one reader. One frame is always accepted on top, so that a large reply passes. */
  readonly limitBytes: number;
}

/**
 * The frames that wait for one socket. They leave at the end of the event-loop turn in one write.
 * While the socket is above its high-water mark they stay here, where they can still be dropped,
 * counted and bounded, instead of in the stream's own endless buffer.
 */
export class OutboundQueue implements Flushable, HoldingQueue {
  private frames: Buffer[] = [];
  private bytes = 0;
  private inTurn = false;
  private state: 'flowing' | 'blocked' | 'ended' = 'flowing';
  private held = 0;

  /** @param onOverflow called once, when the bound is crossed; the queue is empty and ended by then */
  constructor(
    private readonly socket: Duplex,
    private readonly context: OutboundContext,
    private readonly onOverflow: (reason: OverflowReason, droppedFrames: number) => void,
  ) {}

  /** Bytes that wait: here, and in the socket's own buffer. */
  get waitingBytes(): number {
    return this.bytes + this.socket.writableLength;
  }

  /** Bytes this queue has reported to the budget. */
  get heldBytes(): number {
    return this.held;
  }

  /**
   * Takes a whole frame to be written at the end of this turn.
   *
   * @returns false when the queue has ended, or ended by this very frame because its reader is too slow
   */
  enqueue(frame: Buffer): boolean {
    if (this.state === 'ended') return false;
    if (this.state === 'blocked') return this.enqueueBlocked(frame);

    this.frames.push(frame);
    this.bytes += frame.length;
    if (!this.inTurn) {
      this.inTurn = true;
      this.context.turn.add(this);
    }
    if (this.bytes >= JOIN_LIMIT_BYTES) this.flush();
    return true;
  }

  /** Called by the turn that this queue joined. */
  endTurn(): void {
    this.inTurn = false;
    if (this.state === 'flowing') this.flush();
  }

  /** Hands everything to the socket at once, slow or not: what is to be written next comes behind it. */
  end(): void {
    if (this.state === 'ended') return;
    if (!this.socket.destroyed) this.write();
    this.discard();
  }

  /** Drops what waits and takes nothing more. Returns how many frames were dropped. */
  discard(): number {
    const dropped = this.frames.length;
    this.frames = [];
    this.bytes = 0;
    if (this.held > 0) this.context.budget.release(this, this.held);
    this.held = 0;
    this.state = 'ended';
    return dropped;
  }

  /** The bound is crossed: drops what waits and reports it. */
  overflow(reason: OverflowReason): void {
    this.onOverflow(reason, this.discard());
  }

  private enqueueBlocked(frame: Buffer): boolean {
    if (this.waitingBytes >= this.context.limitBytes) {
      this.frames.push(frame);
      this.overflow('slow_consumer');
      return false;
    }
    this.frames.push(frame);
    this.bytes += frame.length;
    this.hold(frame.length);
    return !this.hasEnded();
  }

  private flush(): void {
    this.write();
    if (!this.socket.writableNeedDrain) return;
    this.state = 'blocked';
    this.socket.once('drain', () => this.unblock());
    this.hold(this.socket.writableLength);
  }

  private unblock(): void {
    if (this.state !== 'blocked') return;
    this.state = 'flowing';
    this.context.budget.release(this, this.held);
    this.held = 0;
    this.flush();
  }

  private hold(bytes: number): void {
    this.held += bytes;
    this.context.budget.hold(this, bytes);
  }

  /** A method, because holding more bytes may end this very queue, which the compiler cannot see. */
  private hasEnded(): boolean {
    return this.state === 'ended';
  }

  private write(): void {
    const { frames, bytes, socket } = this;
    if (frames.length === 0) return;
    this.frames = [];
    this.bytes = 0;
    this.context.turn.bytesSent += bytes;

    if (frames.length === 1) {
      socket.write(frames[0]);
    } else if (bytes <= JOIN_LIMIT_BYTES || bytes / frames.length < SMALL_FRAME_BYTES) {
      socket.write(this.context.turn.join(frames, bytes));
    } else {
      socket.cork();
      for (const frame of frames) socket.write(frame);
      socket.uncork();
    }
  }
}

import type { Duplex } from 'node:stream';
import type { Progress } from './connection-listener.js';
import { JOIN_LIMIT_BYTES, type Flushable } from './flush-turn.js';
import {
  ControlFrames,
  isKept,
  type ControlKind,
  type HeldFrame,
  type HeldFrames,
  type Shedding,
} from './held-frames.js';
import type { HoldingQueue, OverflowReason } from './outbound-budget.js';
import type { ListFormat, OutboundContext } from './outbound-context.js';
import type { OutboundObserver, ShedReason } from './outbound-observer.js';
import type { DropReason, Receipt } from './receipt.js';
import { unsentBytes } from './traffic.js';
import { writeFrames, writeLists } from './write-frames.js';

const NOTHING = Buffer.alloc(0);

/**
 * The frames that wait for one socket. They leave at the end of the event-loop turn in one write. While the socket is
 * above its high-water mark they stay here, where they can be dropped, counted and bounded, and not in the stream's
 * unbounded buffer.
 */
export class OutboundQueue implements Flushable, HoldingQueue {
  private frames: Buffer[] = [];
  private bytes = 0;
  private inTurn = false;
  protected state: 'flowing' | 'blocked' | 'ended' = 'flowing';
  /** Bytes of the one frame beyond the limit, in the socket or here. It may drain alone, so it does not count. */
  private exemptBytes = 0;
  /** For a slow reader: two small frames at most, which never make it too slow. */
  private control: ControlFrames | undefined;
  /** How often the socket has become empty after it was full. */
  private drains = 0;
  /** Frames that wait while the socket is above its mark; created on first use. */
  private waiting: HeldFrames | undefined;
  /** Bytes that this queue has reported to the budget. */
  heldBytes = 0;

  /** @param lists undefined: each message leaves in a frame of its own */
  constructor(
    protected readonly socket: Duplex,
    private readonly context: OutboundContext,
    private readonly observer: OutboundObserver,
    private readonly lists?: ListFormat,
  ) {}

  /** Bytes that wait here and in the socket. */
  get waitingBytes(): number {
    return this.bytes + (this.waiting?.bytes ?? 0) + this.socket.writableLength;
  }

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
   * @returns false if the queue has ended, or this frame ended it because its reader is too slow
   */
  enqueue(frame: Buffer, shedding?: Shedding): boolean {
    if (this.state === 'ended') return false;
    if (this.state === 'blocked') return this.hold(frame, shedding);

    this.ready(frame);
    if (!this.inTurn) {
      this.inTurn = true;
      this.context.turn.add(this);
    }
    if (this.bytes >= JOIN_LIMIT_BYTES) this.flush();
    return true;
  }

  /** Takes a ping or a pong. Only the newest of each waits for a slow reader (RFC 6455 §5.5.3); it leaves first. */
  enqueueControl(kind: ControlKind, frame: Buffer): void {
    if (this.state === 'blocked') (this.control ??= new ControlFrames()).hold(kind, frame);
    else this.enqueue(frame);
  }

  /** How far the reader of a full socket has come; undefined while it keeps up. */
  get progress(): Progress | undefined {
    return this.state === 'blocked' ? { drains: this.drains, unsentBytes: unsentBytes(this.socket) } : undefined;
  }

  /** Whether the reader has taken anything since: only acknowledged data makes room in a full socket. */
  hasMovedSince(earlier: Progress): boolean {
    return this.drains > earlier.drains || unsentBytes(this.socket) < earlier.unsentBytes;
  }

  /** Requests a receipt for all that was taken so far. Only a ReceiptedQueue gives it. */
  follow(receipt: Receipt): void {
    const shedding: Shedding = { policy: 'disconnect', key: '', receipt };
    // An empty frame does not count against the limit.
    if (this.state === 'blocked') (this.waiting ??= this.context.newHeldFrames()).add(NOTHING, shedding);
    else this.enqueue(NOTHING, shedding);
  }

  /** Called by the turn that this queue joined. */
  endTurn(): void {
    this.inTurn = false;
    if (this.state === 'flowing') this.flush();
  }

  /** Writes everything to the socket at once, slow or not, so that the next write comes after it. */
  end(): void {
    if (this.state === 'ended') return;
    do this.takeWaiting();
    while (this.waiting?.length);
    if (!this.socket.destroyed) this.write();
    this.discard();
  }

  /** Drops waiting frames and takes nothing more. Data in the socket still counts. Returns how many were dropped. */
  discard(reason: DropReason = 'closed'): number {
    for (const receipt of this.waiting?.receipts() ?? []) receipt.dropped(reason);
    const dropped = this.frames.length + (this.waiting?.clear() ?? 0);
    this.frames = [];
    this.bytes = 0;
    this.control = undefined;
    this.state = 'ended';
    this.report();
    return dropped;
  }

  /** Drops waiting frames and reports the overflow; if that has happened before, drops the data in the socket. */
  overflow(reason: OverflowReason): void {
    if (this.hasEnded) {
      this.socket.destroy();
      return this.report();
    }
    this.observer.overflowed(reason, this.discard(reason));
  }

  private hold(frame: Buffer, shedding: Shedding | undefined): boolean {
    const waiting = (this.waiting ??= this.context.newHeldFrames());
    const before = waiting.bytes;
    if (shedding) this.shed('latest', waiting.dropReplacedBy(shedding));
    const freed = before - waiting.bytes;
    // The queue grows by one frame at most: others that may be dropped go first.
    if (frame.length > freed) this.makeRoom(waiting, shedding);
    const lacksPlace = (): boolean => freed === 0 && this.isFull();
    if (lacksPlace() && shedding && shedding.policy !== 'disconnect') {
      this.report();
      waiting.refuse(shedding);
      // Counts as taken, because the policy of the channel allows the drop.
      return this.shed('drop_oldest', 1);
    }
    if (lacksPlace()) this.shed('expired', waiting.dropExpired(Date.now()));
    const isFull = lacksPlace();
    waiting.add(frame, shedding);
    if (!isFull && isKept(shedding)) this.exempt(frame);
    if (isFull) this.overflow('slow_consumer');
    else this.report();
    return !this.hasEnded;
  }

  private makeRoom(waiting: HeldFrames, newcomer: Shedding | undefined): void {
    let dropped = 0;
    while (this.isFull() && waiting.dropOldest(newcomer) > 0) dropped += 1;
    this.shed('drop_oldest', dropped);
  }

  private isFull(): boolean {
    return this.waitingBytes - this.exemptBytes >= this.context.limitBytes;
  }

  private exempt(frame: Buffer): void {
    if (this.exemptBytes === 0 && frame.length >= this.context.limitBytes) this.exemptBytes = frame.length;
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
    this.drains += 1;
    do {
      this.takeWaiting();
      this.state = 'flowing';
      this.report();
      this.flush();
    } while (this.waiting?.length && !this.isSlow());
  }

  private takeWaiting(): void {
    for (const bytes of this.control?.takeAll() ?? []) this.ready(bytes);
    if (!this.waiting?.length) return;
    this.shed('expired', this.waiting.dropExpired(Date.now()));
    this.release(this.waiting.take());
  }

  /** Frames that waited leave with the next write. */
  protected release(frames: readonly HeldFrame[]): void {
    for (const { bytes } of frames) this.ready(bytes);
  }

  private ready(frame: Buffer): void {
    this.frames.push(frame);
    this.bytes += frame.length;
  }

  /** Reports to the node's budget how much this queue holds now: nothing, unless its reader is slow. */
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
    if (this.exemptBytes > 0 && !this.waiting?.has(this.exemptBytes)) this.exemptBytes = 0;
    if (bytes >= this.context.limitBytes) for (const frame of frames) this.exempt(frame);
    this.hand(frames, bytes);
  }

  /** @param done called when the operating system has taken all of them, or the write has failed */
  protected hand(frames: readonly Buffer[], bytes: number, done?: (error?: Error | null) => void): void {
    const { context, lists, socket } = this;
    if (lists === undefined) writeFrames(socket, frames, { bytes, turn: context.turn, done });
    else writeLists(socket, frames, { context, isCompressed: lists === 'compressed', done });
  }
}

import type { Progress } from './connection-listener.js';
import type { ControlKind, Shedding } from './held-frames.js';
import type { OutboundQueue } from './outbound-queue.js';
import type { Receipt } from './receipt.js';

/** What a connection needs of its outbound queue. */
export type ConnectionQueue = Pick<
  OutboundQueue,
  | 'enqueue'
  | 'enqueueControl'
  | 'follow'
  | 'waitingBytes'
  | 'waitingFrames'
  | 'progress'
  | 'hasMovedSince'
  | 'end'
  | 'discard'
>;

/** Is told of every data frame, and whether the queue took it. */
export type FrameWatcher = (frame: Buffer, isTaken: boolean) => void;

interface Watchable {
  outbound: ConnectionQueue;
}

/** Tells a watcher of every data frame of a connection from now on. */
export function watchFrames(connection: Watchable, watcher: FrameWatcher): void {
  const { outbound } = connection;
  const tapped = outbound instanceof TappedQueue ? outbound : new TappedQueue(outbound);
  tapped.watchers.add(watcher);
  connection.outbound = tapped;
}

export function unwatchFrames(connection: Watchable, watcher: FrameWatcher): void {
  const { outbound } = connection;
  if (!(outbound instanceof TappedQueue)) return;
  outbound.watchers.delete(watcher);
  if (outbound.watchers.size === 0) connection.outbound = outbound.queue;
}

/**
 * Stands in front of the queue of one connection while somebody watches what is sent to it. Other connections, and this
 * one before and afterwards, call their queue directly, so watching costs nothing where nobody watches.
 */
export class TappedQueue implements ConnectionQueue {
  readonly watchers = new Set<FrameWatcher>();

  constructor(readonly queue: ConnectionQueue) {}

  enqueue(frame: Buffer, shedding?: Shedding): boolean {
    const isTaken = this.queue.enqueue(frame, shedding);
    for (const watch of this.watchers) watch(frame, isTaken);
    return isTaken;
  }

  enqueueControl(kind: ControlKind, frame: Buffer): void {
    this.queue.enqueueControl(kind, frame);
  }

  follow(receipt: Receipt): void {
    this.queue.follow(receipt);
  }

  get waitingBytes(): number {
    return this.queue.waitingBytes;
  }

  get waitingFrames(): number {
    return this.queue.waitingFrames;
  }

  get progress(): Progress | undefined {
    return this.queue.progress;
  }

  hasMovedSince(earlier: Progress): boolean {
    return this.queue.hasMovedSince(earlier);
  }

  end(): void {
    this.queue.end();
  }

  discard(...reason: Parameters<ConnectionQueue['discard']>): number {
    return this.queue.discard(...reason);
  }
}

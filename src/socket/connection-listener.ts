import type { CloseName } from '@gatehouse/protocol';
import type { OverflowReason } from './outbound-budget.js';
import type { ShedReason } from './outbound-observer.js';
import type { Progress } from './outbound-queue.js';

/** What a connection had carried when a ping left. */
export interface PingMark {
  readonly bytesRead: number;
  /** How often its reading had been resumed. */
  readonly resumes: number;
  /** Undefined where its reader kept up. */
  readonly progress: Progress | undefined;
}

/** What the stage above is told of a connection. Set before the first frame can be read. */
export interface ConnectionListener {
  /** Messages that have come and wait to be handled, and their bytes. */
  readonly waitingMessages: number;
  readonly waitingBytes: number;
  /** A whole message, in the order of arrival. `bytes` belongs to the listener. */
  message(bytes: Buffer, isBinary: boolean): void;
  /** Called once: the socket is gone. `code` is what either side closed with, or 1006 where the peer vanished without a word. */
  closed(code: number, reason: string): void;
  /** The server ends it: what waits is not handled any more. May come after `closed`, where the client closed first. */
  cutShort(): void;
  /** The reader was too slow; the connection is closing with 4008. */
  overflowed(reason: OverflowReason, droppedFrames: number): void;
  /** Frames that may be dropped were, for the reader is slow; the connection goes on. */
  shed(reason: ShedReason, droppedFrames: number): void;
  /** A ping was answered after this long. */
  roundTrip(milliseconds: number): void;
  /** Nothing came within the heartbeat's timeout; the connection is being terminated. */
  vanished(): void;
  /** The client broke a rule of the protocol; its connection is closing. */
  breached(name: CloseName): void;
}

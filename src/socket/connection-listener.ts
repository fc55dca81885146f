import type { CloseName } from '@gatehouse/protocol';
import type { OverflowReason } from './outbound-budget.js';
import type { ShedReason } from './outbound-observer.js';

/** How far the reader of a full socket had come. */
export interface Progress {
  readonly drains: number;
  readonly unsentBytes: number;
}

/** What a connection had transferred when a ping was sent. */
export interface PingMark {
  readonly bytesRead: number;
  /** How often its reading had been resumed. */
  readonly resumes: number;
  /** Undefined if its reader kept up. */
  readonly progress: Progress | undefined;
  /** What the client has to read before it comes to the ping, at most. */
  readonly unreadBytes: number;
}

/** The events of a connection for the stage above. Set before the first frame can be read. */
export interface ConnectionListener {
  /** Messages that wait to be handled, and their bytes. */
  readonly waitingMessages: number;
  readonly waitingBytes: number;
  /** A whole message, in the order of arrival. `bytes` belongs to the listener. */
  message(bytes: Buffer, isBinary: boolean): void;
  /** Called once: the socket is gone. `code` is the code of the first close frame, or 1006 if the peer vanished. */
  closed(code: number, reason: string): void;
  /**
   * The server ends the connection; waiting messages are not handled any more. May come after `closed`, if the client
   * closed first.
   */
  cutShort(): void;
  /** The reader was too slow; the connection is closing with 4008. */
  overflowed(reason: OverflowReason, droppedFrames: number): void;
  /** Frames that may be dropped were dropped because the reader is slow. The connection goes on. */
  shed(reason: ShedReason, droppedFrames: number): void;
  /** A ping was answered after this time. */
  roundTrip(milliseconds: number): void;
  /** Nothing arrived within the heartbeat's timeout. The connection is being terminated. */
  vanished(): void;
  /** The client broke a rule of the protocol; its connection is closing. */
  breached(name: CloseName): void;
}

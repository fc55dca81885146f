import type { MessageRate } from '../../access/limits/message-rate.js';
import type { Session } from '../../sessions/session.js';
import type { Predecessor } from '../calls/message-context.js';
import type { Handlers } from '../message-table.js';

/** The inbox of a connection, as its frames see it. */
interface Sender {
  readonly session: Session;
  readonly handlers: Handlers;
  readonly rate: MessageRate;
  /** Resolves when all earlier messages that still run have their reply; undefined if none runs. */
  readonly previous: Promise<void> | undefined;
  /** Lets the next message begin before this promise resolves. */
  release(pending: Promise<void>): void;
}

/**
 * One frame on its way through the stages, and then the message in progress. It may let the next message begin before
 * it has its reply. It does not hold its bytes: `ws` cuts them from a larger buffer, which a slow handler would keep.
 */
export class InboundFrame implements Predecessor {
  /** Tokens that have been taken for it. */
  tokens = 1;
  /** Its whole cost is paid, not only what its size shows. */
  isPaid = false;
  /** Milliseconds until the sender may send again; 0 if it is within its rate. */
  overRateFor = 0;
  hasLetNextBegin = false;
  /** Set when it is known that its reply comes later. */
  pending: Promise<void> | undefined;

  constructor(
    readonly sender: Sender,
    /** In bytes. */
    readonly size: number,
    /** On the performance.now() clock. */
    readonly arrivedAt: number,
  ) {}

  letNextBegin(): void {
    if (this.hasLetNextBegin) return;
    this.hasLetNextBegin = true;
    if (this.pending) this.sender.release(this.pending);
  }

  chargeReply(bytes: number): void {
    this.sender.rate.chargeReply(bytes, performance.now());
  }
}

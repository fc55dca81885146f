import type { MessageRate } from '../../access/limits/message-rate.js';
import type { Predecessor } from '../calls/message-context.js';

/** The message in progress. It may let the next one begin before it has its reply. */
export class InFlightMessage implements Predecessor {
  hasLetNextBegin = false;
  /** Set when it is known that its reply comes later. */
  pending: Promise<void> | undefined;

  constructor(private readonly inbox: { readonly rate: MessageRate; release(pending: Promise<void>): void }) {}

  letNextBegin(): void {
    if (this.hasLetNextBegin) return;
    this.hasLetNextBegin = true;
    if (this.pending) this.inbox.release(this.pending);
  }

  chargeReply(bytes: number): void {
    this.inbox.rate.chargeReply(bytes, performance.now());
  }
}

import type { MessageRate } from '../../access/limits/message-rate.js';
import type { Predecessor } from '../calls/message-context.js';

/** The message in hand: it may let the next one begin before it is answered itself. */
export class InFlightMessage implements Predecessor {
  hasLetNextBegin = false;
  /** Set once it is known that its answer comes later. */
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

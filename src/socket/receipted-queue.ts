import { OutboundQueue } from './outbound-queue.js';
import { receiptsOf, type HeldFrame, type Shedding } from './held-frames.js';
import type { DropReason, Receipt } from './receipt.js';

/**
 * An outbound queue that gives receipts. Used only if a namespace has a ledger, so that the plain queue has no extra
 * cost for each frame.
 */
export class ReceiptedQueue extends OutboundQueue {
  /** Receipts of the frames in the next write. */
  private receipts: Receipt[] | undefined;

  override enqueue(frame: Buffer, shedding?: Shedding): boolean {
    const receipt = shedding?.receipt;
    if (receipt === undefined) return super.enqueue(frame, shedding);
    if (this.state === 'ended') {
      receipt.dropped('closed');
      return false;
    }
    if (this.state === 'flowing') this.awaitWrite([receipt]);
    return super.enqueue(frame, shedding);
  }

  override discard(reason: DropReason = 'closed'): number {
    for (const receipt of this.receipts ?? []) receipt.dropped(reason);
    this.receipts = undefined;
    return super.discard(reason);
  }

  protected override release(frames: readonly HeldFrame[]): void {
    this.awaitWrite(receiptsOf(frames));
    super.release(frames);
  }

  protected override hand(frames: readonly Buffer[], bytes: number): void {
    const { receipts, socket } = this;
    if (receipts === undefined) return super.hand(frames, bytes);
    this.receipts = undefined;
    super.hand(frames, bytes, (error) => {
      // Node reports success for writes in progress when a socket is destroyed.
      if (error || socket.destroyed) for (const receipt of receipts) receipt.dropped('closed');
      else settle(receipts);
    });
  }

  private awaitWrite(receipts: readonly Receipt[]): void {
    if (this.receipts === undefined) this.receipts = [...receipts];
    else for (const receipt of receipts) this.receipts.push(receipt);
  }
}

function settle(receipts: readonly Receipt[]): void {
  const now = Date.now();
  for (const receipt of receipts) receipt.written(now);
}

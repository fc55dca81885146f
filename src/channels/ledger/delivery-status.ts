import type { DropReason, Receipt } from '../../socket/receipt.js';

/** What became of something that was sent. The first that is heard of it holds. */
export class DeliveryStatus implements Receipt {
  outcome: 'waiting' | 'delivered' | DropReason = 'waiting';
  /** When it came to that, in milliseconds since 1970; zero while it waits. */
  at = 0;

  written(at: number): void {
    this.settle('delivered', at);
  }

  dropped(reason: DropReason): void {
    this.settle(reason, Date.now());
  }

  private settle(outcome: 'delivered' | DropReason, at: number): void {
    if (this.outcome !== 'waiting') return;
    this.outcome = outcome;
    this.at = at;
  }
}

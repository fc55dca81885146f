import type { DropReason, Receipt } from '../../socket/receipt.js';

/** What happened to a delivery. The first report counts. */
export class DeliveryStatus implements Receipt {
  outcome: 'waiting' | 'delivered' | DropReason = 'waiting';
  /** Time of the outcome, in milliseconds since 1970; 0 while it waits. */
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

/** Why a slow reader is disconnected. */
export const OVERFLOW_REASONS = ['slow_consumer', 'node_budget'] as const;
export type OverflowReason = (typeof OVERFLOW_REASONS)[number];

/** A queue whose reader is slow. */
export interface HoldingQueue {
  /** Bytes that it has reported to the budget. */
  readonly heldBytes: number;
  /** Whether it takes nothing more, and only its socket still holds data. */
  readonly hasEnded: boolean;
  /** Drops its frames, releases them and disconnects its reader. Called again, it destroys the data in its socket. */
  overflow(reason: OverflowReason): void;
}

/**
 * The bytes that wait for all slow readers of this node. Readers that keep up are not counted: their data is below the
 * socket's high-water mark and gone within the turn.
 */
export class OutboundBudget {
  /** Bytes that wait now, for metrics. */
  waiting = 0;
  private readonly blocked = new Set<HoldingQueue>();

  /** @param limitBytes 0 means no limit */
  constructor(private readonly limitBytes: number) {}

  /** Number of slow readers. */
  get blockedQueues(): number {
    return this.blocked.size;
  }

  /**
   * A queue waits for its socket and holds `bytes` more. If this exceeds the budget, queues overflow: first those that
   * have ended, then the fullest.
   */
  hold(queue: HoldingQueue, bytes: number): void {
    this.blocked.add(queue);
    this.waiting += bytes;
    while (this.limitBytes > 0 && this.waiting > this.limitBytes) this.mostDispensable().overflow('node_budget');
  }

  release(queue: HoldingQueue, bytes: number): void {
    this.blocked.delete(queue);
    this.waiting -= bytes;
  }

  private mostDispensable(): HoldingQueue {
    let fullest: HoldingQueue | undefined;
    for (const queue of this.blocked) {
      if (queue.hasEnded) return queue;
      if (fullest === undefined || queue.heldBytes > fullest.heldBytes) fullest = queue;
    }
    if (fullest === undefined) throw new Error('bytes are waiting, but no queue holds them');
    return fullest;
  }
}

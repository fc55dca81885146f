import type { OverflowReason } from './outbound-budget.js';

/** Why a frame was never sent: by its shedding, with its reader, or with the connection. */
export type DropReason = 'latest' | 'drop_oldest' | 'expired' | OverflowReason | 'closed';

/** Gets the outcome of a frame, once. Must not throw. */
export interface Receipt {
  /**
   * The operating system has taken it from this process, at `at` in milliseconds since 1970. Whether the client
   * receives it cannot be known here.
   */
  written(at: number): void;
  dropped(reason: DropReason): void;
}

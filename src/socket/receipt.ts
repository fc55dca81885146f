import type { OverflowReason } from './outbound-budget.js';

/** Why a frame never left: as its shedding wants it, with its reader, or with the connection. */
export type DropReason = 'latest' | 'drop_oldest' | 'expired' | OverflowReason | 'closed';

/** Is told what becomes of a frame, once. Must not throw. */
export interface Receipt {
  /**
   * The operating system has taken it from this process, at `at` in milliseconds since 1970. Whether it crosses the network,
   * and whether the client reads it, nobody here can tell.
   */
  written(at: number): void;
  dropped(reason: DropReason): void;
}

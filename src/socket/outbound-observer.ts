import type { OverflowReason } from './outbound-budget.js';

export interface OutboundObserver {
  /** Called once, when the limit is exceeded. The queue is empty and ended by then. */
  overflowed(reason: OverflowReason, droppedFrames: number): void;
  /** Frames that may be dropped were dropped, and the connection goes on. */
  shed(reason: ShedReason, droppedFrames: number): void;
}

/** Why frames were dropped: a newer one with the same key arrived, there was no room, or they had expired. */
export const SHED_REASONS = ['latest', 'drop_oldest', 'expired', 'unreadable'] as const;
export type ShedReason = (typeof SHED_REASONS)[number];

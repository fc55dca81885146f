import type { Compression } from './compression.js';
import type { FlushTurn } from './flush-turn.js';
import type { HeldFrames } from './held-frames.js';
import type { OutboundBudget } from './outbound-budget.js';
import type { PriorityCounts } from './prioritized-frames.js';

/** How messages leave if they leave in lists. */
export type ListFormat = 'plain' | 'compressed';

/** The parts that all queues of a node share. */
export abstract class OutboundContext {
  abstract readonly turn: FlushTurn;
  abstract readonly budget: OutboundBudget;
  abstract readonly compression: Compression;
  /** Counted only if a namespace has a priority. */
  abstract readonly priorities: PriorityCounts;
  /** The frames that wait for one slow reader: HeldFrames, or those with priorities. */
  abstract readonly newHeldFrames: () => HeldFrames;
  /** Bytes that may wait for one reader. One more frame is always accepted, so that a large reply passes. */
  abstract readonly limitBytes: number;
}

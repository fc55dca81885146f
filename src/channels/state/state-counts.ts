import { Injectable } from '@nestjs/common';

/** How an order about a key can end. */
export const STATE_RESULTS = [
  'changed',
  'unchanged',
  'conflict',
  'forbidden',
  'too_large',
  'full',
  'unplaced',
  'failed',
] as const;
export type StateResult = (typeof STATE_RESULTS)[number];

/** Why subscribers got a snapshot: they subscribed, looked at a cell, changes were lost, or they were too slow for each change. */
export const SNAPSHOT_CAUSES = ['subscribe', 'area', 'gap', 'slow'] as const;
export type SnapshotCause = (typeof SNAPSHOT_CAUSES)[number];

/** Counts of state on this node. Plain numbers, because they change with every order. */
@Injectable()
export class StateCounts {
  readonly results: Record<StateResult, number> = {
    changed: 0,
    unchanged: 0,
    conflict: 0,
    forbidden: 0,
    too_large: 0,
    full: 0,
    unplaced: 0,
    failed: 0,
  };
  readonly snapshots: Record<SnapshotCause, number> = { subscribe: 0, area: 0, gap: 0, slow: 0 };
  /** Changes that a slow subscriber got together with later ones. */
  conflated = 0;
  /** Keys of channels with subscribers on this node. */
  keys = 0;
}

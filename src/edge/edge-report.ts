import type { Loss } from './store/stream-counts.js';

/** How often an edge says how it is. */
export const REPORT_MS = 5_000;

/** What an edge says of itself. */
export interface EdgeReport extends Readonly<Record<Loss, number>> {
  /** The version of Gatehouse. */
  readonly release: string;
  /** Milliseconds since 1970, by the clock of the edge. */
  readonly startedAt: number;
  readonly sessions: number;
  /** Signed-in users with a session. */
  readonly users: number;
  /** Channels with subscribers. */
  readonly channels: number;
  readonly subscriptions: number;
  /** Messages that wait for the centre, and their bytes. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** How long the oldest of them has waited. Absent: nothing waits. */
  readonly oldestMs?: number;
  /** Whether the disk takes messages. */
  readonly store: 'ok' | 'failed';
  /** Messages that the centre has published since the start. */
  readonly forwarded: number;
}

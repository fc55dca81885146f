import { EventEmitter } from 'node:events';

/**
 * What becomes of a row; the label of the metric.
 *
 * - `published`: subscribers get it
 * - `repeated`: it had been published before, and only its row was left
 * - `expired`: its `ttlMs` was over before it could be published
 * - `refused`: it can never be published, and is now in gatehouse_outbox_refused
 */
export const ROW_OUTCOMES = ['published', 'repeated', 'expired', 'refused'] as const;
export type RowOutcome = (typeof ROW_OUTCOMES)[number];

/** The transaction that keeps rows from being published. */
export interface Blocker {
  /** Undefined: a prepared transaction, which has no process. */
  readonly pid: number | undefined;
  /** `application_name`, if this account may see it. */
  readonly application: string | undefined;
  /** Age of the oldest row. */
  readonly seconds: number;
}

interface OutboxEventMap {
  /** This node reads the outbox from now on, or no longer. */
  reading: [isReading: boolean];
  settled: [outcome: RowOutcome, rows: number];
  /** A row was refused. */
  refused: [id: string, reason: string];
  /** Age of the oldest row, in seconds; 0 if there is none. */
  lag: [seconds: number];
  blocked: [blocker: Blocker];
  /** The database, or the broker behind the channels, could not be used. It is tried again. */
  failed: [reason: string];
}

/** What becomes of the outbox, for observers. Listeners must not throw. */
export class OutboxEvents extends EventEmitter<OutboxEventMap> {}

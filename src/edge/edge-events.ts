import { EventEmitter } from 'node:events';

/**
 * What becomes of a message for the centre; the label of the metric.
 *
 * - `queued`: it is on the disk
 * - `forwarded`: the centre has it
 * - `repeated`: the centre had it before, and only its record was left
 * - `expired`: its time was over before the centre could be reached
 * - `dropped`: the outbox was full, and a newer message took its room
 * - `refused`: the centre will never take it
 * - `damaged`: it could not be read from the disk
 * - `rejected`: the outbox was full, and its sender was told
 * - `failed`: the disk did not take it, and its sender was told
 */
export const EDGE_OUTCOMES = [
  'queued',
  'forwarded',
  'repeated',
  'expired',
  'dropped',
  'refused',
  'damaged',
  'rejected',
  'failed',
] as const;
export type EdgeOutcome = (typeof EDGE_OUTCOMES)[number];

/**
 * What happened to the store as a whole.
 *
 * - `repaired`: it was corrupt, and what could be read of it is there
 * - `set_aside`: it could not be repaired, so that a new one begins; the old one is kept beside it
 * - `damaged`: records on the disk could not be read
 * - `write_failed`: the disk is full, or fails
 * - `clock_jumped`: the clock of the system was set by more than a minute
 */
export const STORE_FAULTS = ['repaired', 'set_aside', 'damaged', 'write_failed', 'clock_jumped'] as const;
export type StoreFault = (typeof STORE_FAULTS)[number];

/**
 * How the centre is reached.
 *
 * - `up`: it takes messages
 * - `down`: there is no connection
 * - `refused`: it does not let this edge in, or its token is used up
 * - `unsupported`: it is no centre, or speaks another version
 */
export const UPSTREAM_STATES = ['up', 'down', 'refused', 'unsupported'] as const;
export type UpstreamState = (typeof UPSTREAM_STATES)[number];

/**
 * What becomes of the publications of mirrored channels; the label of the metric.
 *
 * - `received`: it is here, at the place that it has at the centre
 * - `repeated`: it was here already
 * - `gap`: the centre could not send some, and says so; counted once for each such answer
 * - `refused`: the centre does not let this edge read a channel; counted for each attempt
 * - `forgotten`: a channel that nobody here reads made room for another
 */
export const MIRROR_OUTCOMES = ['received', 'repeated', 'gap', 'refused', 'forgotten'] as const;
export type MirrorOutcome = (typeof MIRROR_OUTCOMES)[number];

interface EdgeEventMap {
  mirrored: [outcome: MirrorOutcome, publications: number];
  /** The centre has given an order that this release cannot read, or one too many. */
  order_unreadable: [];
  /** The centre does not let this edge read a channel. */
  mirror_refused: [reason: string];
  settled: [outcome: EdgeOutcome, rule: string, messages: number];
  /** The centre refused a message for good. */
  refused: [rule: string, channel: string, code: string];
  fault: [fault: StoreFault, detail: string];
  upstream: [state: UpstreamState, detail: string | undefined];
}

/** What happens at an edge node, for observers. Listeners must not throw. */
export class EdgeEvents extends EventEmitter<EdgeEventMap> {}

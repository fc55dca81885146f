import { EventEmitter } from 'node:events';

/**
 * What becomes of a message that came from a broker; the label of the metric.
 *
 * - `published`: subscribers get it
 * - `repeated`: it had been published before
 * - `own`: this cluster had sent it out
 * - `dead_lettered`: it can never be published, and is now in the dead-letter topic or subject
 * - `emptied`: as `dead_lettered`, but without its payload, with which it is larger than the broker takes
 * - `skipped`: it can never be published, and there is none, or it takes no letter
 * - `lost`: it came at most once, and could not be published
 */
export const MESSAGE_OUTCOMES = [
  'published',
  'repeated',
  'own',
  'dead_lettered',
  'emptied',
  'skipped',
  'lost',
] as const;
export type MessageOutcome = (typeof MESSAGE_OUTCOMES)[number];

/**
 * What becomes of a publication for a broker; the label of the metric.
 *
 * - `sent`: the broker has it
 * - `dropped`: it waited too long among too many, or the node has ended
 * - `expired`: its `ttlMs` was over before the broker could be reached
 * - `refused`: the broker will never take it: it is too large, or this account may not send there
 * - `circular`: it came from there
 */
export const OUTGOING_OUTCOMES = ['sent', 'dropped', 'expired', 'refused', 'circular'] as const;
export type OutgoingOutcome = (typeof OUTGOING_OUTCOMES)[number];

export type BrokerKind = 'kafka' | 'nats';

/** A message that can never be published. */
export interface RefusedMessage {
  /** Its place in the topic or stream, or its subject. */
  readonly place: string;
  readonly reason: string;
}

interface BridgeEventMap {
  connected: [broker: BrokerKind, isConnected: boolean];
  settled: [source: string, outcome: MessageOutcome];
  refused: [source: string, message: RefusedMessage];
  /** A publication has left for a topic or subject, or never will; `detail` is what the broker says. */
  left: [destination: string, outcome: OutgoingOutcome, detail?: string];
  /** Publications that wait for the broker. */
  waiting: [broker: BrokerKind, publications: number];
  /** Messages that the broker has and this node has not read. */
  lag: [source: string, messages: number];
  /** The broker, or the one behind the channels, could not be used. It is tried again. */
  failed: [bridge: string, reason: string];
}

/** What becomes of bridges, for observers. Listeners must not throw. */
export class BridgeEvents extends EventEmitter<BridgeEventMap> {}

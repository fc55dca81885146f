import type { Egress } from '../../config/bridges/destinations.js';

/** A publication on its way to a broker. */
export interface OutgoingMessage {
  readonly destination: Egress;
  /** `channel:epoch:seq`: the same if it is sent again. */
  readonly id: string;
  readonly channel: string;
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds since 1970 after which it must not be sent. */
  readonly expiresAt: number | undefined;
}

/**
 * Sends messages in their order. Rejects if any of them may not have been stored; they are all sent again.
 *
 * @throws Unsendable if the broker will never take one of them
 */
export type Sender = (messages: readonly OutgoingMessage[]) => Promise<void>;

/** The broker will never take a message. */
export class Unsendable extends Error {}

/** The topic or subject, for people and metrics. */
export function nameOf(destination: Egress): string {
  return 'kafka' in destination ? destination.kafka : destination.nats;
}

export const ID_HEADER = 'gatehouse-id';
export const CHANNEL_HEADER = 'gatehouse-channel';
export const FROM_HEADER = 'gatehouse-from';
/** The clusters that sent the message out, the last one at the end. */
export const VIA_HEADER = 'gatehouse-via';

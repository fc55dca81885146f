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

/** The broker has the message, will never take it, or may take it later. */
export type SendResult = 'sent' | { readonly refused: string } | { readonly failure: string };

/**
 * Sends messages to one destination, in their order. Resolves with the result of each. Those with a `failure` are sent
 * again; if it rejects, all of them.
 */
export type Sender = (messages: readonly OutgoingMessage[]) => Promise<readonly SendResult[]>;

/** Returns the sender of a destination, while the broker is connected. */
export type SenderFor = (destination: Egress) => Sender;

/** The topic or subject, for people and metrics. */
export function nameOf(destination: Egress): string {
  return 'kafka' in destination ? destination.kafka : destination.nats;
}

export const ID_HEADER = 'gatehouse-id';
export const CHANNEL_HEADER = 'gatehouse-channel';
export const FROM_HEADER = 'gatehouse-from';
/** The clusters that sent the message out, the last one at the end. */
export const VIA_HEADER = 'gatehouse-via';

import type { Loss } from './store/stream-counts.js';
import type { ListRecord } from '../cluster/ports/record-store.js';

/** The version of the messages between an edge and its centre. */
export const EDGE_PROTOCOL = 1;
/** The role that the token of an edge needs. */
export const EDGE_ROLE = 'EDGE';
/** Records in one `edge.forward`, which are those under way of one stream. */
export const MAX_RECORDS = 256;
/** Bytes of their data, at most; a larger record goes alone. */
export const MAX_FORWARD_BYTES = 524_288;

/** A record of the outbox as it goes to the centre. */
export interface ForwardedRecord {
  readonly seq: number;
  readonly channel: string;
  readonly data: unknown;
  /** How long it may still be delivered; absent: for ever. */
  readonly ttlMs?: number;
  /** The idempotency key of the client that published it. */
  readonly key?: string;
}

/** What the centre did with records. */
export interface ForwardReply {
  readonly upTo: number;
  readonly repeated: number;
  readonly refused: readonly { readonly seq: number; readonly code: string }[];
}

/** Orders in one message, and about their bytes at most; a larger order goes alone. */
export const MAX_ORDERS_AT_ONCE = 500;
export const MAX_ORDERS_BYTES = 524_288;

/** Sent to edges that have asked for the orders. */
export const ORDERS_CHANGED = 'edge.orders_changed';

/** A ban or revocation of the centre, as it goes to an edge. */
export interface CentreOrder {
  readonly list: 'bans' | 'revocations';
  readonly record: ListRecord;
}

/** An order that is in force no more. */
export interface LiftedOrder {
  readonly list: CentreOrder['list'];
  readonly kind: string;
  readonly key: string;
}

export function orderNameOf({ list, kind, key }: LiftedOrder): string {
  return `${list}!${kind}!${key}`;
}

/** Losses in one message: those of all rules, if there are not very many rules. */
export const MAX_LOSSES = 256;

/** Messages of one rule that the centre will never get. */
export interface AnnouncedLoss {
  readonly rule: string;
  readonly outcome: Loss;
  /** How many the centre was told before, since the store was made. */
  readonly after: number;
  /** How many there are by now. */
  readonly total: number;
}

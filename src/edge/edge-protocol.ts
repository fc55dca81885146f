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

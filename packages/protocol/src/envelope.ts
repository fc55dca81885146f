import type { ErrorCode } from './error-codes.js';

/** What ties a reply to its request: a string of at most 64 characters or a safe integer, chosen by the client. */
export type CorrelationId = string | number;

export type Subprotocol = 'v1.json' | 'v1.json.batch' | 'v1.binary' | 'v2.proto';

/** What a client speaks that offers no subprotocol at all. */
export const DEFAULT_SUBPROTOCOL: Subprotocol = 'v1.json';

export const ENVELOPE_VERSION = 1;
export const MAX_TYPE_LENGTH = 128;
export const MAX_ID_LENGTH = 64;

/** What a client writes. */
export interface ClientMessage {
  readonly type: string;
  readonly id?: CorrelationId | undefined;
  readonly data?: unknown;
  /** W3C traceparent. */
  readonly trace?: string | undefined;
  /** How `data` is encrypted; absent means plain. */
  readonly enc?: string | undefined;
  /** When the client made the message, milliseconds since 1970. Only replay protection reads it. */
  readonly ts?: number | undefined;
}

/** The session that sent or published a message. */
export interface Publisher {
  readonly userId: string;
  readonly sessionId: string;
}

/** What the server writes, except errors. Absent fields are not written. */
export interface OutboundMessage {
  readonly type: string;
  readonly id?: CorrelationId | undefined;
  readonly channel?: string | undefined;
  readonly seq?: number | undefined;
  readonly epoch?: string | undefined;
  /** Server time, milliseconds since 1970. */
  readonly ts?: number | undefined;
  readonly from?: Publisher | undefined;
  readonly trace?: string | undefined;
  readonly enc?: string | undefined;
  readonly data?: unknown;
}

export interface ErrorMessage {
  readonly type: 'error';
  readonly id?: CorrelationId | undefined;
  readonly trace?: string | undefined;
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Milliseconds. */
  readonly retryAfter?: number | undefined;
  /** What the client needs to decide anew; of the registry only `CONFLICT` has it: the value as it is. */
  readonly data?: unknown;
}

export type ServerMessage = OutboundMessage | ErrorMessage;

import type { ErrorCode, ErrorMessage } from '@gatehouse/protocol';

/** What the client itself reports; docs/client.md says what each means. The codes of the server are in `ErrorCode`. */
export type LocalCode =
  | 'NOT_CONNECTED'
  | 'CONNECTION_LOST'
  | 'CLOSED'
  | 'ABORTED'
  | 'NO_ANSWER'
  | 'QUEUE_FULL'
  | 'BAD_DATA'
  | 'BAD_MESSAGE'
  | 'TOKEN_FAILED'
  | 'LOAD_FAILED'
  | 'LOAD_TOO_OLD'
  | 'HANDLER_FAILED'
  | 'NO_STATE';

/** Handlers of the server may answer with codes of their own. */
export type Code = ErrorCode | LocalCode | (string & {});

export interface ErrorFields {
  readonly details?: ErrorMessage['details'];
  readonly retryAfter?: number | undefined;
  readonly outcomeUnknown?: boolean;
  readonly cause?: unknown;
  readonly data?: unknown;
}

/** Every error of this library. Decide by `code`. */
export class GatehouseError extends Error {
  override readonly name = 'GatehouseError';
  /** Of `VALIDATION_FAILED`: field path → reasons. */
  readonly details: ErrorMessage['details'];
  /** Milliseconds after which a retry makes sense. */
  readonly retryAfter: number | undefined;
  /** Whether the server may have carried the request out. */
  readonly outcomeUnknown: boolean;
  /** Of `CONFLICT`: the value as it is. */
  readonly data: unknown;

  constructor(
    readonly code: Code,
    message: string,
    { details, retryAfter, outcomeUnknown = false, cause, data }: ErrorFields = {},
  ) {
    super(message, { cause });
    this.details = details;
    this.retryAfter = retryAfter;
    this.outcomeUnknown = outcomeUnknown;
    this.data = data;
  }
}

/** An error of the client itself. Its text is its code, so that no application ships sentences that are in the docs. */
export function failure(code: Code, cause?: unknown, outcomeUnknown = false): GatehouseError {
  return new GatehouseError(code, code, { cause, outcomeUnknown });
}

/** A token function throws this if the user is signed out: the client stops, and asks for no more tokens. */
export class SignedOut extends Error {
  override readonly name = 'SignedOut';
}

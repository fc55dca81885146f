import { ERRORS, type ErrorCode } from '@gatehouse/protocol';

const RETRY_AFTER_MS = 1_000;

/** The parts of an error besides its code. */
export interface ErrorExtras {
  /** Replaces the text of the registry. Must not quote input of the client. */
  readonly message?: string | undefined;
  /** For VALIDATION_FAILED: field path → reasons. */
  readonly details?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Milliseconds after which a retry makes sense. */
  readonly retryAfter?: number | undefined;
  /** What the client needs to decide anew, such as the value that is there instead. */
  readonly data?: unknown;
}

/**
 * The error that a handler, guard or pipe throws to send the client a code of the registry. It is an answer and not a
 * fault, so it has no stack: that took 20 µs for each message of a flood.
 */
export class GatehouseError extends Error {
  /**
   * For a failure that a retry may overcome, such as a database error. The client gets `UPSTREAM_UNAVAILABLE` with
   * `retryAfter`, and the cause is logged. A message with `@ReplayProtected()` may be sent again.
   *
   * @param cause what failed; clients do not see it
   */
  static retryable(cause: unknown, extras: ErrorExtras = {}): GatehouseError {
    return Object.assign(new GatehouseError('UPSTREAM_UNAVAILABLE', { retryAfter: RETRY_AFTER_MS, ...extras }), {
      cause,
    });
  }

  readonly details: ErrorExtras['details'];
  readonly retryAfter: number | undefined;
  readonly data: unknown;

  constructor(
    readonly code: ErrorCode,
    extras: ErrorExtras = {},
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(extras.message ?? ERRORS[code].message);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'GatehouseError';
    this.details = extras.details;
    this.retryAfter = extras.retryAfter;
    this.data = extras.data;
  }
}

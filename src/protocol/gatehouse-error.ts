import { ERRORS, type ErrorCode } from './error-codes.js';

export interface ErrorExtras {
  /** Replaces the registry's sentence. Must not quote what the client sent. */
  readonly message?: string | undefined;
  /** For VALIDATION_FAILED: field path → reasons. */
  readonly details?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Milliseconds after which a retry makes sense. */
  readonly retryAfter?: number | undefined;
}

/**
 * The error a handler, guard or pipe throws to answer the client with a code of the registry. It is an answer and no fault, so
 * it has no stack: that took 20 µs for each message of a flood, and nobody read it.
 */
export class GatehouseError extends Error {
  readonly details: ErrorExtras['details'];
  readonly retryAfter: number | undefined;

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
  }
}

import { HttpException } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { ERRORS, type ErrorCode } from '@gatehouse/protocol';
import {
  DiagnosticsRefusal,
  type DiagnosticsRefusalReason,
} from '../../observability/diagnostics/diagnostics-refusal.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { plainProblem, writeProblem, type PlainProblem } from '../../transport/problem-json.js';

/** An error response of the API. */
export interface Problem extends PlainProblem {
  /** The code that a WebSocket client would get, if there is one. */
  readonly code?: ErrorCode;
  /** Field of the request → reasons. */
  readonly errors?: Readonly<Record<string, readonly string[]>>;
}

/** The status of each error code; docs/api.md lists them, and a test compares. */
export const STATUS_OF = {
  INVALID_MESSAGE_FORMAT: 400,
  UNKNOWN_MESSAGE_TYPE: 400,
  UNSUPPORTED_VERSION: 400,
  VALIDATION_FAILED: 422,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMIT_EXCEEDED: 429,
  UNKNOWN_CHANNEL: 404,
  NOT_SUBSCRIBED: 409,
  CHANNEL_LIMIT_REACHED: 409,
  UNKNOWN_KEY: 404,
  CONFLICT: 409,
  STATE_LIMIT_REACHED: 409,
  AREA_TOO_LARGE: 422,
  MESSAGE_TOO_LARGE: 413,
  DUPLICATE_MESSAGE: 409,
  STALE_MESSAGE: 409,
  DECRYPTION_FAILED: 400,
  UPSTREAM_UNAVAILABLE: 502,
  SERVER_BUSY: 503,
  NOT_REPLICATED: 503,
  TIMEOUT: 504,
  INTERNAL_ERROR: 500,
} as const satisfies Record<ErrorCode, number>;

const STATUS_OF_REFUSAL = {
  off: 403,
  under_way: 409,
  too_soon: 429,
  no_room: 507,
} as const satisfies Record<DiagnosticsRefusalReason, number>;

type Headers = Readonly<Record<string, string>>;

/** Thrown by handlers and guards of the API if no error code fits. */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    /** Must not quote input of the client. */
    detail: string,
    readonly headers: Headers = {},
  ) {
    super(detail);
    this.name = 'ProblemError';
  }
}

export interface ProblemAnswer {
  readonly problem: Problem;
  readonly headers: Headers;
}

/** The response to a thrown value. An unexpected error becomes INTERNAL_ERROR and reveals nothing. */
export function problemOf(error: unknown): ProblemAnswer {
  if (error instanceof ProblemError)
    return { problem: plainProblem(error.status, error.message), headers: error.headers };
  if (error instanceof DiagnosticsRefusal) return ofRefusal(error);
  if (error instanceof GatehouseError) return ofCode(error);
  // Errors of Nest and its parts, whose texts quote the URL.
  if (error instanceof HttpException && error.getStatus() < 500) {
    return { problem: plainProblem(error.getStatus()), headers: {} };
  }
  return ofCode(new GatehouseError('INTERNAL_ERROR'));
}

export function isExpected(error: unknown): boolean {
  return problemOf(error).problem.code !== 'INTERNAL_ERROR';
}

/** Answers once. */
export function sendProblem(response: ServerResponse, { problem, headers }: ProblemAnswer): void {
  writeProblem(response, problem, headers);
}

/** For Retry-After, which counts in whole seconds. */
function secondsOf(milliseconds: number): string {
  return String(Math.max(1, Math.ceil(milliseconds / 1_000)));
}

function ofRefusal({ reason, message, retryAfterMs }: DiagnosticsRefusal): ProblemAnswer {
  const headers: Headers = retryAfterMs === undefined ? {} : { 'Retry-After': secondsOf(retryAfterMs) };
  return { problem: plainProblem(STATUS_OF_REFUSAL[reason], message), headers };
}

function ofCode({ code, message, details, retryAfter }: GatehouseError): ProblemAnswer {
  const fields = details === undefined ? { code } : { code, errors: details };
  const headers: Record<string, string> = {};
  if (code === 'UNAUTHENTICATED') headers['WWW-Authenticate'] = 'Bearer';
  if (retryAfter !== undefined) headers['Retry-After'] = secondsOf(retryAfter);
  return { problem: { ...plainProblem(STATUS_OF[code], message || ERRORS[code].message), ...fields }, headers };
}

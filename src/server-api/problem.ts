import { HttpException } from '@nestjs/common';
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import { ERRORS, type ErrorCode } from '../protocol/error-codes.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';

export const PROBLEM_TYPE = 'application/problem+json';

const DISCARD_MS = 2_000;

/** An answer that is an error, as RFC 9457 has it. */
export interface Problem {
  readonly type: 'about:blank';
  /** The name of the status. */
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The code that a WebSocket client would be answered with, where there is one. */
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
  MESSAGE_TOO_LARGE: 413,
  DUPLICATE_MESSAGE: 409,
  STALE_MESSAGE: 409,
  DECRYPTION_FAILED: 400,
  UPSTREAM_UNAVAILABLE: 502,
  SERVER_BUSY: 503,
  TIMEOUT: 504,
  INTERNAL_ERROR: 500,
} as const satisfies Record<ErrorCode, number>;

type Headers = Readonly<Record<string, string>>;

/** What a handler or guard of the API throws where no error code says it. */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    /** Must not quote what the client sent. */
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

/** Whatever was thrown, as the answer to it. What nobody expected is INTERNAL_ERROR and tells nothing. */
export function problemOf(error: unknown): ProblemAnswer {
  if (error instanceof ProblemError) return { problem: problem(error.status, error.message), headers: error.headers };
  if (error instanceof GatehouseError) return ofCode(error);
  // Of Nest and its parts. Their sentences quote the URL.
  if (error instanceof HttpException && error.getStatus() < 500) {
    return { problem: problem(error.getStatus(), nameOf(error.getStatus())), headers: {} };
  }
  return ofCode(new GatehouseError('INTERNAL_ERROR'));
}

export function isExpected(error: unknown): boolean {
  return problemOf(error).problem.code !== 'INTERNAL_ERROR';
}

/** Answers once. */
export function sendProblem(response: ServerResponse, { problem: body, headers }: ProblemAnswer): void {
  if (response.headersSent) return void response.destroy();
  const text = JSON.stringify(body);
  if (!response.req.complete) discardRest(response.req);
  response.writeHead(body.status, {
    'Cache-Control': 'no-store',
    ...headers,
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

/**
 * What is still to come of a request that is answered already is thrown away, for a while: a client that finds the
 * connection closed while it sends does not read the answer.
 */
function discardRest(request: IncomingMessage): void {
  request.resume();
  setTimeout(() => {
    if (!request.complete) request.destroy();
  }, DISCARD_MS).unref();
}

/** For Retry-After, which counts in whole seconds. */
export function secondsOf(milliseconds: number): string {
  return String(Math.max(1, Math.ceil(milliseconds / 1_000)));
}

function ofCode({ code, message, details, retryAfter }: GatehouseError): ProblemAnswer {
  const fields = details === undefined ? { code } : { code, errors: details };
  const headers: Record<string, string> = {};
  if (code === 'UNAUTHENTICATED') headers['WWW-Authenticate'] = 'Bearer';
  if (retryAfter !== undefined) headers['Retry-After'] = secondsOf(retryAfter);
  return { problem: { ...problem(STATUS_OF[code], message || ERRORS[code].message), ...fields }, headers };
}

function problem(status: number, detail: string): Problem {
  return { type: 'about:blank', title: nameOf(status), status, detail };
}

function nameOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

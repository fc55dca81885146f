import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { type CorrelationId, type ErrorMessage, ERRORS, type ErrorCode } from '@gatehouse/protocol';
import { GatehouseError } from '../protocol/gatehouse-error.js';

export type ErrorBody = Omit<ErrorMessage, 'type' | 'id' | 'trace'>;

/** The form of an application's own error codes. */
export const APPLICATION_CODE = /^[A-Z][A-Z0-9_]{0,63}$/;

const HTTP_CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  408: 'TIMEOUT',
  413: 'MESSAGE_TOO_LARGE',
  429: 'RATE_LIMIT_EXCEEDED',
  502: 'UPSTREAM_UNAVAILABLE',
  503: 'SERVER_BUSY',
  504: 'UPSTREAM_UNAVAILABLE',
};

/** Nest's default texts; the registry's own text is clearer. */
const NEST_SENTENCES = new Set(['Forbidden resource', 'Forbidden', 'Unauthorized', 'Bad Request']);

/** The error for the client. Reveals nothing about unexpected exceptions. */
export function errorReply(exception: unknown, id: CorrelationId | undefined, trace?: string): ErrorMessage {
  return { type: 'error', id, trace, ...errorBody(exception) };
}

/** Whether the exception is a fault of ours, which must be logged, and not an error for the client. */
export function isFault(exception: unknown): boolean {
  try {
    if (exception instanceof GatehouseError) return exception.cause !== undefined;
    if (exception instanceof WsException) return false;
    return !(exception instanceof HttpException) || exception.getStatus() >= 500;
  } catch {
    // A Proxy may throw on `instanceof`.
    return true;
  }
}

/** The error that an exception stands for. */
export function errorBody(exception: unknown): ErrorBody {
  if (exception instanceof GatehouseError) {
    const { code, message, details, retryAfter, data } = exception;
    return { code, message, details, retryAfter: isDuration(retryAfter) ? Math.ceil(retryAfter) : undefined, data };
  }
  if (exception instanceof WsException) return bodyOfWsException(exception);
  if (exception instanceof HttpException) return bodyOfHttpException(exception);
  return { code: 'INTERNAL_ERROR', message: ERRORS.INTERNAL_ERROR.message };
}

/**
 * `new WsException('text')`, or `new WsException({ code: 'ROOM_FULL', message: 'text' })` with a code of the
 * application.
 */
function bodyOfWsException(exception: WsException): ErrorBody {
  const error = exception.getError();
  if (typeof error === 'string') return { code: 'VALIDATION_FAILED', message: error };
  const { code, message, details, retryAfter } = error as Partial<ErrorBody>;
  const isUsable = typeof code === 'string' && APPLICATION_CODE.test(code);
  return {
    code: isUsable ? code : 'VALIDATION_FAILED',
    message: typeof message === 'string' ? message : exception.message,
    details: isDetails(details) ? details : undefined,
    retryAfter: isDuration(retryAfter) ? Math.ceil(retryAfter) : undefined,
  };
}

/** In JavaScript an application can put anything there. */
function isDetails(value: unknown): value is NonNullable<ErrorBody['details']> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every(
    (reasons) => Array.isArray(reasons) && reasons.every((reason) => typeof reason === 'string'),
  );
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function bodyOfHttpException(exception: HttpException): ErrorBody {
  const status = exception.getStatus();
  const code = HTTP_CODES[status] ?? (status < 500 ? 'VALIDATION_FAILED' : 'INTERNAL_ERROR');
  if (status >= 500 || exception.message === '') return { code, message: ERRORS[code].message };
  const reasons = (exception.getResponse() as { message?: unknown }).message;
  const details = Array.isArray(reasons) ? { data: reasons.map(String) } : undefined;
  const saysNothing = details !== undefined || NEST_SENTENCES.has(exception.message);
  return { code, message: saysNothing ? ERRORS[code].message : exception.message, details };
}

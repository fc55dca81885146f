import { SpanStatusCode, type Span } from '@opentelemetry/api';
import { errorBody } from '../../dispatch/error-reply.js';

/** Codes for faults that are not the client's: these spans are errors. Other spans only have the code. */
const FAULTS = new Set(['INTERNAL_ERROR', 'SERVER_BUSY', 'NOT_REPLICATED', 'TIMEOUT', 'UPSTREAM_UNAVAILABLE']);

/** @param code `ok`, or the code of the error reply */
export function tellOutcome(span: Span, code: string): void {
  span.setAttribute('gatehouse.outcome', code);
  if (code === 'ok') return;
  span.setAttribute('error.type', code);
  if (FAULTS.has(code)) span.setStatus({ code: SpanStatusCode.ERROR });
}

/** An unexpected error, as the log has it. */
export function tellException(span: Span, exception: unknown): void {
  if (!span.isRecording()) return;
  try {
    span.recordException(exception instanceof Error ? exception : String(exception));
  } catch {
    // An application may throw a value that cannot be read.
    span.recordException('A value was thrown that cannot be converted to text');
  }
}

export function codeOf(exception: unknown): string {
  return errorBody(exception).code;
}

import { SpanStatusCode, type Span } from '@opentelemetry/api';
import { errorBody } from '../../dispatch/error-reply.js';

/** Codes that are no answer to what the client did wrong: these spans are errors. The others are marked with their code alone. */
const FAULTS = new Set(['INTERNAL_ERROR', 'SERVER_BUSY', 'NOT_REPLICATED', 'TIMEOUT', 'UPSTREAM_UNAVAILABLE']);

/** @param code `ok`, or what the message was answered with */
export function tellOutcome(span: Span, code: string): void {
  span.setAttribute('gatehouse.outcome', code);
  if (code === 'ok') return;
  span.setAttribute('error.type', code);
  if (FAULTS.has(code)) span.setStatus({ code: SpanStatusCode.ERROR });
}

/** What was thrown and should not have been; as the log has it. */
export function tellException(span: Span, exception: unknown): void {
  if (!span.isRecording()) return;
  try {
    span.recordException(exception instanceof Error ? exception : String(exception));
  } catch {
    // An application may throw what cannot be read.
    span.recordException('A value was thrown that cannot be converted to text');
  }
}

export function codeOf(exception: unknown): string {
  return errorBody(exception).code;
}

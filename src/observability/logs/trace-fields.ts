import { isSpanContextValid, trace } from '@opentelemetry/api';

/** The trace of the code that writes a line, in OpenTelemetry's names for logs. */
export function traceFields(): Record<string, unknown> {
  const span = trace.getActiveSpan()?.spanContext();
  return span !== undefined && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

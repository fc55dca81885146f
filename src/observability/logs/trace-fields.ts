import { isSpanContextValid, trace } from '@opentelemetry/api';

/** Which trace the code that writes a line belongs to, in the names that OpenTelemetry gives them in logs. */
export function traceFields(): Record<string, unknown> {
  const span = trace.getActiveSpan()?.spanContext();
  return span !== undefined && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

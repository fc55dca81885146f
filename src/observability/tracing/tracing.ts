import type { Tracer } from '@opentelemetry/api';

export const TRACING = Symbol('Tracing');

/** Why spans come to no collector: it is too slow, it does not take them, or they are of more refusals than are recorded. */
export const SPAN_LOSSES = ['queue_full', 'export_failed', 'refusals'] as const;

/** What makes spans, and where they go. There is none in the container where nothing is traced. */
export interface Tracing {
  readonly tracer: Tracer;
  /** Whether clients decide what is recorded of the traces that they have begun. */
  readonly trustsClients: boolean;
  /** Whether one more of what was refused may be recorded. What may not counts as dropped. */
  admitsRefusal(): boolean;
  /** Spans that came to no collector, by the reason. */
  readonly dropped: Iterable<readonly [reason: string, count: number]>;
}

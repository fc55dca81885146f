import type { Tracer } from '@opentelemetry/api';

/** Why spans reach no collector: it is too slow, it refuses them, or there are too many spans of refused work. */
export const SPAN_LOSSES = ['queue_full', 'export_failed', 'refusals'] as const;

/** Creates and exports spans. Not provided if tracing is off. */
export abstract class Tracing {
  abstract readonly tracer: Tracer;
  /** Whether clients decide what is recorded of the traces that they have begun. */
  abstract readonly trustsClients: boolean;
  /** Whether another span of refused work may be recorded. Otherwise it counts as dropped. */
  abstract admitsRefusal(): boolean;
  /** Number of spans that reached no collector, by reason. */
  abstract readonly dropped: Iterable<readonly [reason: string, count: number]>;
}

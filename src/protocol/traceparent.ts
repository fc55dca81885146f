/** One span of a trace, as W3C Trace Context names it. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether whoever made the span records it. */
  readonly isSampled: boolean;
}

/** Any version but ff: later ones are to be read as the first is. Neither id is all zeros. */
const SHAPE = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})$/;
const LENGTH = 55;
const SAMPLED = 0x01;

/** Undefined for what is no `traceparent`: it counts as absent. Whoever sent it may be an attacker. */
export function parseTraceparent(text: unknown): TraceParent | undefined {
  if (typeof text !== 'string' || text.length !== LENGTH) return undefined;
  const [, traceId, spanId, flags] = SHAPE.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags ?? '', 16) & SAMPLED) !== 0 };
}

export function traceparentOf({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

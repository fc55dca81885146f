/** One span of a trace, as W3C Trace Context names it. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether the creator of the span records it. */
  readonly isSampled: boolean;
}

/** Any version except ff, because later versions start like the first. No id may be all zeros. */
const SHAPE = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})$/;
const LENGTH = 55;
const SAMPLED = 0x01;

/** Undefined if the text is not a valid `traceparent`, which then counts as absent. The sender may be an attacker. */
export function parseTraceparent(text: unknown): TraceParent | undefined {
  if (typeof text !== 'string' || text.length !== LENGTH) return undefined;
  const [, traceId, spanId, flags] = SHAPE.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags ?? '', 16) & SAMPLED) !== 0 };
}

export function traceparentOf({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

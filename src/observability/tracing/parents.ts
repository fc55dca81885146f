import {
  context,
  createContextKey,
  createTraceState,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Context,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import type { IncomingHttpHeaders } from 'node:http';
import { parseTraceparent, traceparentOf } from '../../protocol/traceparent.js';

const FROM_CLIENT = createContextKey('gatehouse: the parent was named by a client');

/** The context of spans that continue a `traceparent`; the root context if it is invalid. */
export function parentOf(traceparent: unknown, tracestate?: unknown): Context {
  const parent = parseTraceparent(traceparent);
  if (parent === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, isSampled } = parent;
  const spanContext: SpanContext = {
    traceId,
    spanId,
    traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...stateOf(tracestate),
  };
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

/** The context from the headers of a request. */
export function parentInHeaders({ traceparent, tracestate }: IncomingHttpHeaders): Context {
  return parentOf(traceparent, tracestate);
}

/** Marks that a client named the parent, which must not decide about recording unless clients are trusted. */
export function ofClient(parent: Context, { trustsClients }: { readonly trustsClients: boolean }): Context {
  return trustsClients || parent === ROOT_CONTEXT ? parent : parent.setValue(FROM_CLIENT, true);
}

export function isNamedByClient(parent: Context): boolean {
  return parent.getValue(FROM_CLIENT) === true;
}

/**
 * The `traceparent` of the span for others. Undefined if it is not recorded, because nobody should continue it then.
 */
export function traceOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
  return isSampled ? traceparentOf({ traceId, spanId, isSampled }) : undefined;
}

/** Runs with the span as the active one. */
export function within<T>(span: Span, act: () => T): T {
  return context.with(trace.setSpan(ROOT_CONTEXT, span), act);
}

/** It omits malformed entries, and everything that is longer than 512 characters. */
function stateOf(tracestate: unknown): Pick<SpanContext, 'traceState'> {
  return typeof tracestate === 'string' ? { traceState: createTraceState(tracestate) } : {};
}

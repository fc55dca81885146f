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

/** The context of spans that go on from a `traceparent`; the root where it is none. */
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

/** The same of a request's headers. */
export function parentInHeaders({ traceparent, tracestate }: IncomingHttpHeaders): Context {
  return parentOf(traceparent, tracestate);
}

/** Notes that the parent was named by a client, which is not to decide what is recorded unless it is trusted. */
export function ofClient(parent: Context, { trustsClients }: { readonly trustsClients: boolean }): Context {
  return trustsClients || parent === ROOT_CONTEXT ? parent : parent.setValue(FROM_CLIENT, true);
}

export function isNamedByClient(parent: Context): boolean {
  return parent.getValue(FROM_CLIENT) === true;
}

/** How the span is named to others; undefined where it is not recorded, for then nobody is to go on from it. */
export function traceOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
  return isSampled ? traceparentOf({ traceId, spanId, isSampled }) : undefined;
}

/** Runs with the span as the present one. */
export function within<T>(span: Span, act: () => T): T {
  return context.with(trace.setSpan(ROOT_CONTEXT, span), act);
}

/** It leaves out what is malformed, and all of what is longer than 512 characters. */
function stateOf(tracestate: unknown): Pick<SpanContext, 'traceState'> {
  return typeof tracestate === 'string' ? { traceState: createTraceState(tracestate) } : {};
}

import { Injectable, type ExecutionContext } from '@nestjs/common';
import { SpanKind, SpanStatusCode, type Span } from '@opentelemetry/api';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Observable } from 'rxjs';
import { parentInHeaders, within } from './parents.js';
import { Tracing } from './tracing.js';

type HttpHost = ReturnType<ExecutionContext['switchToHttp']>;

/** Fields that Express adds to a request. */
interface Routed extends IncomingMessage {
  readonly route?: { readonly path: string };
}

const API = '/api/';

/**
 * A span for each request of a back end to the server API. Its token has been checked by now, so its `traceparent` is
 * trusted.
 */
@Injectable()
export class RequestSpans {
  constructor(private readonly tracing: Tracing) {}

  around(host: HttpHost, handle: () => Observable<unknown>): Observable<unknown> {
    const { method = 'GET', route, headers } = host.getRequest<Routed>();
    if (!route?.path.startsWith(API)) return handle();
    const attributes = { 'http.request.method': method, 'http.route': route.path };
    const options = { kind: SpanKind.SERVER, attributes };
    const span = this.tracing.tracer.startSpan(`${method} ${route.path}`, options, parentInHeaders(headers));
    const response = host.getResponse<ServerResponse>();
    response.once('close', () => end(span, response.statusCode));
    return within(span, handle);
  }
}

function end(span: Span, status: number): void {
  span.setAttribute('http.response.status_code', status);
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

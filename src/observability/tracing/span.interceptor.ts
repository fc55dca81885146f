import { Injectable, type CallHandler, type ExecutionContext } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { MessageContext } from '../../dispatch/calls/message-context.js';
import type { MessageInterceptor } from '../../dispatch/calls/message-interceptor.js';
import { MessageSpans } from './message-spans.js';
import { within } from './parents.js';
import { RequestSpans } from './request-spans.js';

/** Runs each handler within the span of its message or request. It is part of the application only if tracing is on. */
@Injectable()
export class SpanInterceptor implements MessageInterceptor {
  constructor(
    private readonly messages: MessageSpans,
    private readonly requests: RequestSpans,
  ) {}

  intercept(host: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (host.getType() === 'http') return this.requests.around(host.switchToHttp(), () => next.handle());
    if (host.getType() !== 'ws') return next.handle();
    return within(this.messages.begin(host.getArgByIndex<MessageContext>(2)), () => next.handle());
  }

  around(context: MessageContext, call: () => unknown): unknown {
    return within(this.messages.begin(context), call);
  }
}

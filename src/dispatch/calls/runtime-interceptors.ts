import { Injectable } from '@nestjs/common';
import { EventEmitter } from 'node:events';
import type { Invocation } from './direct-call.js';
import type { MessageInterceptor } from './message-interceptor.js';

interface RuntimeInterceptorEvents {
  /** The message tables must be composed again. */
  changed: [];
}

interface Callable {
  readonly invoke: Invocation;
}

/**
 * Interceptors around every handler that come and go while the server runs, outside of its guards. An absent one costs
 * nothing: the message tables are composed again when one is added or removed.
 */
@Injectable()
export class RuntimeInterceptors extends EventEmitter<RuntimeInterceptorEvents> {
  private readonly present = new Set<MessageInterceptor>();

  add(interceptor: MessageInterceptor): void {
    this.present.add(interceptor);
    this.emit('changed');
  }

  remove(interceptor: MessageInterceptor): void {
    if (this.present.delete(interceptor)) this.emit('changed');
  }

  /** The handler with every present interceptor around its call. */
  around<T extends Callable>(handler: T): T {
    if (this.present.size === 0) return handler;
    const invoke = [...this.present].reduce<Invocation>(
      (inner, interceptor) => (context, data) => interceptor.around(context, () => inner(context, data)),
      handler.invoke,
    );
    return { ...handler, invoke };
  }
}

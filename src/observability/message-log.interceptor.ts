import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Logger } from 'pino';
import { finalize, tap, type Observable } from 'rxjs';
import type { MessageContext } from '../dispatch/message-context.js';
import { LOGGER } from './connection-log.js';

/** A line per message at debug. Not part of the application at all where that level is off. */
@Injectable()
export class MessageLogInterceptor implements NestInterceptor {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'ws') return next.handle();
    const { session, message } = context.getArgByIndex<MessageContext>(2);
    const startedAt = performance.now();
    let outcome = 'ok';
    return next.handle().pipe(
      tap({ error: (error: unknown) => (outcome = error instanceof Error ? error.name : 'error') }),
      finalize(() => {
        const milliseconds = Math.round((performance.now() - startedAt) * 1000) / 1000;
        this.logger.debug(
          { session: session.id, type: message.type, id: message.id, milliseconds, outcome },
          'message',
        );
      }),
    );
  }
}

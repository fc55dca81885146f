import type { OnApplicationShutdown } from '@nestjs/common';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Settings } from '../../../config/settings.js';
import type { Invocation } from './direct-call.js';
import type { MessageContext } from './message-context.js';
import type { Recovery } from './nest-call.js';

/**
 * Tracks the message that the running code belongs to, also after promises and timers. Only used if needed: on Node 20
 * and 22 it makes every promise of the process slower.
 */
export class MessageScope implements OnApplicationShutdown {
  /** Undefined if nobody needs the current message: LOG_CORRELATION is off, and nothing is traced. */
  static of({ log }: Pick<Settings, 'log'>): MessageScope | undefined {
    return log.correlation === 'on' ? new MessageScope() : undefined;
  }

  private readonly storage = new AsyncLocalStorage<MessageContext>();

  /** The session and the message for log lines; empty outside of a message. */
  fields(): Record<string, unknown> {
    const context = this.storage.getStore();
    return context === undefined ? {} : { session: context.session.id, id: context.message.id };
  }

  around(invoke: Invocation): Invocation {
    return (context, data) => this.storage.run(context, invoke, context, data);
  }

  aroundRecovery(recover: Recovery): Recovery {
    return (exception, context, data) => this.storage.run(context, recover, exception, context, data);
  }

  /** Otherwise promises would stay slow in a process that goes on without this server. */
  onApplicationShutdown(): void {
    this.storage.disable();
  }
}

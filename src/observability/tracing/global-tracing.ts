import { context, trace, type TracerProvider } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

/** Servers of this process that trace: usually one, in tests several. */
let users = 0;

/**
 * Makes `@opentelemetry/api` work in the handlers of the application. A process has one global provider: the first
 * server sets it, and an SDK that was there before keeps it.
 *
 * @returns removes the global provider
 */
export function joinGlobalTracing(provider: TracerProvider): () => void {
  users += 1;
  if (users === 1) {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(provider);
  }
  return () => {
    users -= 1;
    if (users > 0) return;
    trace.disable();
    context.disable();
  };
}

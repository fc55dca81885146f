import { GatehouseError } from './errors.js';
import type { Incoming } from './incoming.js';

type Handler = (data: unknown, message: Incoming) => void;

/** Handlers by type. One that throws does not keep the others from their message. */
export class EventHandlers {
  private readonly byType = new Map<string, Set<Handler>>();

  add(type: string, handler: Handler): () => void {
    const handlers = this.byType.get(type) ?? new Set();
    this.byType.set(type, handlers);
    const own: Handler = (data, message) => handler(data, message);
    handlers.add(own);
    return () => void handlers.delete(own);
  }

  emit(
    type: string,
    data: unknown,
    onError: (error: GatehouseError) => void,
    message: Incoming = { type, data },
  ): void {
    for (const handler of this.byType.get(type) ?? []) {
      try {
        handler(data, message);
      } catch (cause) {
        onError(new GatehouseError('HANDLER_FAILED', `A handler of "${type}" threw`, { cause }));
      }
    }
  }
}

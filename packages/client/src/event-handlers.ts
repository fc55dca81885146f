import type { GatehouseError } from './errors.js';
import { guard } from './guard.js';
import type { Incoming } from './incoming.js';

type Handler = (data: unknown, message: Incoming) => void;

/** Handlers by type. One that throws does not keep the others from their message. */
export class EventHandlers {
  private readonly _byType = new Map<string, Set<Handler>>();

  add(type: string, handler: Handler): () => void {
    const handlers = this._byType.get(type) ?? new Set();
    this._byType.set(type, handlers);
    // Of its own, so that a handler that is added twice is called twice.
    const own: Handler = (data, message) => handler(data, message);
    handlers.add(own);
    return () => void handlers.delete(own);
  }

  emit(message: Incoming, onError: (error: GatehouseError) => void): void {
    for (const handler of this._byType.get(message.type) ?? []) guard(() => handler(message.data, message), onError);
  }
}

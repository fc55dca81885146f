import type { BusHandler, NodeBus } from '../../../src/cluster/ports/node-bus.js';

/** A bus on which nobody else is: what the node says is kept, and what it would do at a word can be done by hand. */
export function recordedBus() {
  const handlers = new Map<string, BusHandler>();
  const told: [string, unknown][] = [];
  const asked: string[] = [];
  const bus: NodeBus = {
    isConnected: true,
    reachesOthers: true,
    handle: (kind, handler) => void handlers.set(kind, handler),
    tell: (kind, payload) => void told.push([kind, payload]),
    ask: async (kind) => {
      asked.push(kind);
      return { received: new Map(), missing: [] };
    },
  };
  return { bus, handlers, told, asked };
}

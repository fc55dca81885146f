import type { Answers, NodeBus } from '../ports/node-bus.js';

/** The bus of a node that is the only one: nobody hears, and nobody is missing. */
export class LoneNodeBus implements NodeBus {
  readonly reachesOthers = false;
  readonly isConnected = true;

  handle(): void {}

  tell(): void {}

  async ask<T>(): Promise<Answers<T>> {
    return { received: new Map(), missing: [] };
  }
}

import type { Answers, NodeBus } from '../ports/node-bus.js';

/** The bus of a single node: nobody hears, and nobody is missing. */
export class LoneNodeBus implements NodeBus {
  readonly reachesOthers = false;
  readonly isConnected = true;

  handle(): void {}

  tell(): void {}

  async ask<T>(): Promise<Answers<T>> {
    return { received: new Map(), missing: [] };
  }
}

import { Module, type Type } from '@nestjs/common';
import { SubscribeMessage } from '@nestjs/websockets';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';

export interface HeldHandler {
  /** The module to start the server with. */
  readonly feature: Type;
  /** Resolves when the first `hold` message has reached its handler. */
  readonly started: Promise<void>;
  /** How many `hold` messages have reached it. */
  readonly calls: () => number;
  /** Lets every handler, also those still to come, return `{ done: true }`. */
  readonly release: () => void;
}

/** A message type `hold` whose handler does not return before the test says so. */
export function heldHandler(): HeldHandler {
  let calls = 0;
  let start = (): void => {};
  let release = (): void => {};
  const started = new Promise<void>((resolve) => (start = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));

  @RealtimeGateway()
  class HoldGateway {
    @SubscribeMessage('hold')
    async hold(): Promise<{ done: true }> {
      calls += 1;
      start();
      await released;
      return { done: true };
    }
  }

  @Module({ providers: [HoldGateway] })
  class HoldModule {}

  return { feature: HoldModule, started, calls: () => calls, release };
}

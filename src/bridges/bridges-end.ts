import type { BeforeApplicationShutdown, OnApplicationShutdown } from '@nestjs/common';
import type { Bridge } from './bridge.js';
import type { BrokerQueues } from './broker-queues.js';

interface BridgesEndParts {
  readonly bridges: readonly Bridge[];
  readonly queues: readonly Pick<BrokerQueues, 'close'>[];
  /** How long the end of the process waits for publications to leave. */
  readonly withinMs: number;
}

/**
 * Ends the bridges in order: nothing more is read, what was read is published, and then what was published leaves. The
 * outbox and the HTTP API publish until all `beforeApplicationShutdown` are over, so the queues end after that.
 */
export class BridgesEnd implements BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(private readonly parts: BridgesEndParts) {}

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.parts.bridges.map((bridge) => bridge.stopReading()));
  }

  async onApplicationShutdown(): Promise<void> {
    const { bridges, queues, withinMs } = this.parts;
    await Promise.all(queues.map((queue) => queue.close(withinMs)));
    await Promise.all(bridges.map((bridge) => bridge.close()));
  }
}

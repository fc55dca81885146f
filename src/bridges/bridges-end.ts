import type { BeforeApplicationShutdown, OnApplicationShutdown } from '@nestjs/common';
import type { Bridge } from './bridge.js';
import type { BrokerQueues } from './broker-queues.js';

interface BridgesEndParts {
  readonly bridges: readonly Bridge[];
  readonly queues: readonly Pick<BrokerQueues, 'close'>[];
  /** How long the end of the process waits for messages that were read, and then for publications to leave. */
  readonly withinMs: number;
}

/** For publications to leave, however long the messages took. */
const LEAST_FLUSH_MS = 1_000;

/**
 * Ends the bridges in order: nothing more is read, what was read is published, and then what was published leaves. The
 * outbox and the HTTP API publish until all `beforeApplicationShutdown` are over, so the queues end after that.
 */
export class BridgesEnd implements BeforeApplicationShutdown, OnApplicationShutdown {
  private spentMs = 0;

  constructor(private readonly parts: BridgesEndParts) {}

  async beforeApplicationShutdown(): Promise<void> {
    const { bridges, withinMs } = this.parts;
    const beganAt = performance.now();
    await Promise.all(bridges.map((bridge) => bridge.stopReading(withinMs)));
    this.spentMs = performance.now() - beganAt;
  }

  async onApplicationShutdown(): Promise<void> {
    const { bridges, queues, withinMs } = this.parts;
    const flushMs = Math.max(Math.min(LEAST_FLUSH_MS, withinMs), Math.ceil(withinMs - this.spentMs));
    await Promise.all(queues.map((queue) => queue.close(flushMs)));
    await Promise.all(bridges.map((bridge) => bridge.close()));
  }
}

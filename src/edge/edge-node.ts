import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { EdgeEvents } from './edge-events.js';
import type { EdgeReading, EdgeStatus } from './edge-status.js';
import type { CentreOrders } from './orders/centre-orders.js';
import { Forwarder } from './link/forwarder.js';
import type { Upstream } from './link/upstream.js';
import type { Mirror } from './mirror/mirror.js';
import type { Outbox } from './store/outbox.js';

interface EdgeParts {
  readonly outbox: Outbox;
  readonly upstream: Upstream;
  readonly events: EdgeEvents;
  /** Undefined: the edge file mirrors nothing. */
  readonly mirror?: Mirror | undefined;
  readonly orders?: CentreOrders | undefined;
}

/** Sends the outbox to the centre as long as the node runs. */
export class EdgeNode implements EdgeStatus, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly forwarders: readonly Forwarder[];

  constructor(private readonly parts: EdgeParts) {
    const streams = [...parts.outbox.streams.values()];
    const urgent = streams.filter(({ rule }) => rule.priority === 'high');
    this.forwarders = streams.map((stream) => {
      const before = urgent.includes(stream) ? [] : urgent;
      return new Forwarder({ ...parts, stream, before });
    });
  }

  read(): EdgeReading {
    const { upstream, outbox } = this.parts;
    const { state, since, detail } = upstream;
    let [messages, bytes] = [0, 0];
    for (const { counts } of outbox.streams.values()) {
      messages += counts.count;
      bytes += counts.bytes;
    }
    const seconds = Math.floor((performance.now() - since) / 1_000);
    return { upstream: state, seconds, detail, messages, bytes, store: outbox.isWell ? 'ok' : 'failed' };
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.parts.upstream.open();
    for (const forwarder of this.forwarders) forwarder.start();
  }

  /** Its sessions are closed by now, so that nothing is stored any more. */
  async onApplicationShutdown(): Promise<void> {
    this.parts.upstream.close();
    await Promise.all(this.forwarders.map((forwarder) => forwarder.stop()));
    await this.parts.mirror?.close();
    await this.parts.orders?.close();
    await this.parts.outbox.close();
  }
}

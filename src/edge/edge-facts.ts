import { Injectable } from '@nestjs/common';
import { VERSION } from '../../config/version.js';
import { NamespaceCounts } from '../channels/namespace-counts.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import { EdgeEvents } from './edge-events.js';
import type { EdgeReport } from './edge-report.js';
import { EdgeStatus } from './edge-status.js';
import { Outbox } from './store/outbox.js';
import { LOSSES, type Loss } from './store/stream-counts.js';

/** What this edge says of itself to its centre. */
@Injectable()
export class EdgeFacts {
  private readonly startedAt = Date.now();
  private forwarded = 0;

  constructor(
    events: EdgeEvents,
    private readonly outbox: Outbox,
    private readonly status: EdgeStatus,
    private readonly sessions: SessionRegistry,
    private readonly namespaces: NamespaceCounts,
  ) {
    events.on('settled', (outcome, _rule, messages) => {
      if (outcome === 'forwarded') this.forwarded += messages;
    });
  }

  async read(): Promise<EdgeReport> {
    const { messages, bytes, store } = this.status.read();
    const oldestMs = await this.outbox.oldestAge();
    return {
      release: VERSION,
      startedAt: this.startedAt,
      sessions: this.sessions.size,
      users: this.sessions.users,
      ...this.subscriptions(),
      queuedMessages: messages,
      queuedBytes: bytes,
      ...(oldestMs !== undefined && { oldestMs }),
      store,
      forwarded: this.forwarded,
      ...this.losses(),
    };
  }

  private subscriptions(): Pick<EdgeReport, 'channels' | 'subscriptions'> {
    let [channels, subscriptions] = [0, 0];
    for (const [, count] of this.namespaces) {
      channels += count.channels;
      subscriptions += count.subscriptions;
    }
    return { channels, subscriptions };
  }

  private losses(): Record<Loss, number> {
    const streams = [...this.outbox.streams.values()];
    const sumOf = (loss: Loss): number => streams.reduce((sum, { counts }) => sum + counts.lost[loss], 0);
    return Object.fromEntries(LOSSES.map((loss) => [loss, sumOf(loss)])) as Record<Loss, number>;
  }
}

import type { NodeIdentity } from '../../../src/cluster/node-registry.js';
import type { RedisLink } from '../../../src/cluster/redis-link.js';
import { RedisNodeRegistry } from '../../../src/cluster/redis-node-registry.js';
import { RedisPresenceStore } from '../../../src/cluster/redis-presence-store.js';
import { RedisSharedCounts } from '../../../src/cluster/redis-shared-counts.js';

/** Short, so that a node is lost while a test waits. */
export const SHORT_LEASE_MS = 400;
const REPORT_MS = 40;

export const REPORT = {
  url: 'ws://127.0.0.1:1/ws',
  version: '0.0.0',
  startedAt: 1,
  isReady: true,
  load: { sessions: 1, maxSessions: 0, eventLoopLagMs: 0, bufferedBytes: 0, processor: 0 },
};

/** What a node has of the cluster, and what it is told. It reports until it freezes. */
export class StoreNode {
  readonly registry: RedisNodeRegistry;
  readonly presence: RedisPresenceStore;
  readonly counts: RedisSharedCounts;
  readonly told: string[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly link: RedisLink,
    readonly name: string,
    leaseMs = SHORT_LEASE_MS,
  ) {
    this.registry = new RedisNodeRegistry(link, name, { leaseMs });
    this.registry.listen({
      lost: ({ nodeId }: NodeIdentity) => void this.told.push(`lost ${nodeId}`),
      forgotten: () => void this.told.push('forgotten'),
    });
    this.presence = new RedisPresenceStore(link, this.registry);
    this.presence.listen({
      lost: (channel, userId) => void this.told.push(`${userId} lost from ${channel}`),
      back: (channel, userId) => void this.told.push(`${userId} back in ${channel}`),
    });
    this.counts = new RedisSharedCounts(link, this.registry);
  }

  static async start(link: RedisLink, name: string, leaseMs?: number): Promise<StoreNode> {
    const node = new StoreNode(link, name, leaseMs);
    await node.report();
    node.thaw();
    return node;
  }

  report(): Promise<void> {
    return this.registry.report(REPORT);
  }

  freeze(): void {
    clearInterval(this.timer);
  }

  thaw(): void {
    this.timer = setInterval(() => void this.report().catch(() => {}), REPORT_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.freeze();
    this.presence.close();
    await this.counts.close();
  }
}

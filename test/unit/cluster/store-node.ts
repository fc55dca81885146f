import type { NodeIdentity } from '../../../src/cluster/ports/node-registry.js';
import type { RedisLink } from '../../../src/cluster/redis/connection/redis-link.js';
import { RedisNodeRegistry } from '../../../src/cluster/redis/registry/redis-node-registry.js';
import { RedisPresenceStore } from '../../../src/cluster/redis/presence/redis-presence-store.js';
import { RedisSharedCounts } from '../../../src/cluster/redis/counts/redis-shared-counts.js';

/** So long that no starved process misses it: where a lease is to end, the test moves the clock of Redis on. */
export const TEST_LEASE_MS = 600_000;
const REPORT_MS = 40;
/** A gap of half a lease would look as if no node could report. */
const STEP_MS = 0.4 * TEST_LEASE_MS;

export const REPORT = {
  url: 'ws://127.0.0.1:1/ws',
  version: '0.0.0',
  startedAt: 1,
  isReady: true,
  load: { sessions: 1, maxSessions: 0, eventLoopLagMs: 0, bufferedBytes: 0, processor: 0 },
};

/** KEYS: beats, claims, clock of a registry. ARGV: by how much what they say is to be older. */
const AGE_NODES = `
for index = 1, 2 do
  for _, name in ipairs(redis.call('ZRANGE', KEYS[index], 0, -1)) do redis.call('ZINCRBY', KEYS[index], -ARGV[1], name) end
end
for _, field in ipairs({ 'last', 'since' }) do
  local at = redis.call('HGET', KEYS[3], field)
  if at then redis.call('HSET', KEYS[3], field, string.format('%.0f', at - ARGV[1])) end
end
`;

/** KEYS: places of a user. ARGV: by how much their stamps are to be older. */
const AGE_PLACES = `
local fields = redis.call('HGETALL', KEYS[1])
for index = 1, #fields, 2 do
  local count, at, version = string.match(fields[index + 1], '^(%d+):(%d+):(%d+)$')
  redis.call('HSET', KEYS[1], fields[index], string.format('%s:%.0f:%s', count, at - ARGV[1], version))
end
`;

/** A lease and more passes in Redis, in which no node reports. Of places those of alice are looked at. */
export async function passSilence(link: RedisLink, ms = 1.5 * TEST_LEASE_MS): Promise<void> {
  const nodes = ['beats', 'claims', 'clock'].map((part) => link.key('nodes', part));
  await link.client.eval(AGE_NODES, nodes.length, ...nodes, ms);
  await link.client.eval(AGE_PLACES, 1, link.key('user:alice', 'places'), ms);
}

/** A lease and more passes in Redis, in which only the living report. */
export async function passLease(link: RedisLink, ...living: readonly { report(): Promise<void> }[]): Promise<void> {
  for (let step = 0; step < 4; step += 1) {
    await passSilence(link, STEP_MS);
    for (const node of living) await node.report();
  }
}

/** What a node has of the cluster, and what it is told. It reports until it freezes. */
export class StoreNode {
  readonly registry: RedisNodeRegistry;
  readonly presence: RedisPresenceStore;
  readonly counts: RedisSharedCounts;
  readonly told: string[] = [];
  private timer: NodeJS.Timeout | undefined;
  private reporting: Promise<void> = Promise.resolve();

  constructor(
    readonly link: RedisLink,
    readonly name: string,
  ) {
    this.registry = new RedisNodeRegistry(link, name, { leaseMs: TEST_LEASE_MS });
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

  static async start(link: RedisLink, name: string): Promise<StoreNode> {
    const node = new StoreNode(link, name);
    await node.report();
    node.thaw();
    return node;
  }

  report(): Promise<void> {
    return this.registry.report(REPORT);
  }

  /** Resolves when its last report is made, or could not be. */
  async freeze(): Promise<void> {
    clearInterval(this.timer);
    await this.reporting;
  }

  thaw(): void {
    this.timer = setInterval(() => {
      this.reporting = this.report().catch(() => {});
    }, REPORT_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.freeze();
    this.presence.close();
    await this.counts.close();
  }
}

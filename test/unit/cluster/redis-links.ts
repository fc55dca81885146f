import type { ClusterSettings } from '../../../src/cluster/cluster-settings.js';
import { RedisLink } from '../../../src/cluster/redis/connection/redis-link.js';
import { eventually } from '../../support/eventually.js';

/** Where a test is not about it, so long that a busy machine does not reach it. */
const REDIS_TIMEOUT_MS = 60_000;

/** The links to Redis of a test file, closed together. */
export class RedisLinks {
  private readonly links: RedisLink[] = [];

  /** As each node of a cluster has one. Resolves when Redis answers. */
  async open(redisUrl: string, others: Partial<ClusterSettings> = {}): Promise<RedisLink> {
    const link = this.create(redisUrl, others);
    await eventually('Redis answers', () => link.isUp);
    return link;
  }

  /** For a Redis that does not answer yet. */
  create(redisUrl: string, others: Partial<ClusterSettings> = {}): RedisLink {
    const serverId = `node-${this.links.length}`;
    const settings = {
      redisMode: 'standalone',
      redisPrefix: 'test',
      redisTimeoutMs: REDIS_TIMEOUT_MS,
      serverId,
    } as const;
    const link = new RedisLink({ ...settings, ...others, redisUrl });
    this.links.push(link);
    return link;
  }

  close(): void {
    for (const link of this.links.splice(0)) link.close();
  }
}

import { RedisLink } from '../../../src/cluster/redis-link.js';

/** The links to Redis of a test file, closed together. */
export class RedisLinks {
  private readonly links: RedisLink[] = [];

  /** As each node of a cluster has one. */
  async open(redisUrl: string, redisMode: 'standalone' | 'cluster' = 'standalone'): Promise<RedisLink> {
    const settings = { redisMode, redisPrefix: 'test', redisTimeoutMs: 2_000, serverId: `node-${this.links.length}` };
    const link = new RedisLink({ ...settings, redisUrl });
    this.links.push(link);
    await link.opened();
    return link;
  }

  close(): void {
    for (const link of this.links) link.close();
  }
}

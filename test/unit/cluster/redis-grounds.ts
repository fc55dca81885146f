import { afterAll, beforeAll, describe } from 'vitest';
import type { RedisLink } from '../../../src/cluster/redis-link.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { RedisServer } from '../../support/redis-server.js';
import { RedisLinks } from './redis-links.js';

/** Runs a suite on one Redis, and on a Redis Cluster. Each link that it opens is as a node's. */
export function onEveryRedis(suite: (open: () => Promise<RedisLink>) => void): void {
  describe('on one Redis', () => {
    let redis: RedisServer;
    const links = new RedisLinks();
    beforeAll(async () => void (redis = await RedisServer.start()));
    afterAll(async () => {
      links.close();
      await redis[Symbol.asyncDispose]();
    });
    suite(() => links.open(redis.url));
  });

  describe('on a Redis Cluster', () => {
    let cluster: RedisCluster;
    const links = new RedisLinks();
    beforeAll(async () => void (cluster = await RedisCluster.start()));
    afterAll(async () => {
      links.close();
      await cluster[Symbol.asyncDispose]();
    });
    suite(() => links.open(cluster.urls, { redisMode: 'cluster' }));
  });
}

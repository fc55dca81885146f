import { afterAll, beforeAll, describe } from 'vitest';
import type { RedisLink } from '../../../src/cluster/redis/connection/redis-link.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { RedisServer } from '../../support/redis-server.js';
import { RedisLinks } from './redis-links.js';

/** Opens a link as a node's. Those with one prefix are of one cluster of nodes. */
export type OpenLink = (redisPrefix?: string) => Promise<RedisLink>;

/** Runs a suite on one Redis, and on a Redis Cluster. */
export function onEveryRedis(suite: (open: OpenLink) => void): void {
  describe('on one Redis', { tags: ['redis'] }, () => {
    let redis: RedisServer;
    const links = new RedisLinks();
    beforeAll(async () => void (redis = await RedisServer.start()));
    afterAll(async () => {
      links.close();
      await redis[Symbol.asyncDispose]();
    });
    suite((redisPrefix = 'test') => links.open(redis.url, { redisPrefix }));
  });

  describe('on a Redis Cluster', { tags: ['redis'] }, () => {
    let cluster: RedisCluster;
    const links = new RedisLinks();
    beforeAll(async () => void (cluster = await RedisCluster.start()));
    afterAll(async () => {
      links.close();
      await cluster[Symbol.asyncDispose]();
    });
    suite((redisPrefix = 'test') => links.open(cluster.urls, { redisMode: 'cluster', redisPrefix }));
  });
}

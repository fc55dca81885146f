import { afterAll, beforeAll, describe } from 'vitest';
import { RedisBroker } from '../../../src/cluster/redis-broker.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { RedisServer } from '../../support/redis-server.js';
import { describeBroker } from './broker-contract.js';
import { RedisLinks } from './redis-links.js';

describe('on one Redis', () => {
  let redis: RedisServer;
  const links = new RedisLinks();
  beforeAll(async () => void (redis = await RedisServer.start()));
  afterAll(async () => {
    links.close();
    await redis[Symbol.asyncDispose]();
  });

  describeBroker('RedisBroker', { isShared: true, create: async () => new RedisBroker(await links.open(redis.url)) });
});

describe('on a Redis Cluster', () => {
  let cluster: RedisCluster;
  const links = new RedisLinks();
  beforeAll(async () => void (cluster = await RedisCluster.start()));
  afterAll(async () => {
    links.close();
    await cluster[Symbol.asyncDispose]();
  });

  describeBroker('RedisBroker', {
    isShared: true,
    create: async () => new RedisBroker(await links.open(cluster.urls, { redisMode: 'cluster' })),
  });
});

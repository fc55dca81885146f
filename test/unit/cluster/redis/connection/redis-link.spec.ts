import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { Cluster } from 'ioredis';
import { RedisCluster } from '../../../../support/redis-cluster.js';
import { RedisLinks } from '../../redis-links.js';

describe('a link to a Redis Cluster', () => {
  const links = new RedisLinks();
  afterAll(() => links.close());

  it('is up only when it can ask every master, also one that is slow to answer', async () => {
    await using cluster = await RedisCluster.start();
    const slow = cluster.servers[2];
    slow?.signal('SIGSTOP');
    const opening = links.open(cluster.urls, { redisMode: 'cluster' });
    await pause(500);
    slow?.signal('SIGCONT');
    const masters = ((await opening).client as unknown as Cluster).nodes('master');
    expect(await Promise.all(masters.map((master) => master.dbsize()))).toEqual([0, 0, 0]);
  });

  it('is up where one master is gone', async () => {
    await using cluster = await RedisCluster.start();
    await cluster.servers[2]?.kill();
    const link = await links.open(cluster.urls, { redisMode: 'cluster' });
    expect(link.isUp).toBe(true);
  });
});

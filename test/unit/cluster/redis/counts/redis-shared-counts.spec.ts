import { describe, expect, it } from 'vitest';
import { RedisNodeRegistry } from '../../../../../src/cluster/redis/registry/redis-node-registry.js';
import { RedisSharedCounts } from '../../../../../src/cluster/redis/counts/redis-shared-counts.js';
import { onEveryRedis } from '../../redis-grounds.js';
import { describeSharedCounts } from '../../shared-counts-contract.js';
import { REPORT, StoreNode, TEST_LEASE_MS } from '../../store-node.js';

onEveryRedis((open) => {
  describeSharedCounts('RedisSharedCounts', {
    isShared: true,
    create: async (nodeId) => {
      const link = await open();
      const registry = new RedisNodeRegistry(link, nodeId, { leaseMs: TEST_LEASE_MS });
      await registry.report(REPORT);
      return new RedisSharedCounts(link, registry);
    },
  });

  describe('shared counts', () => {
    it('keep nothing, here or in Redis, of who has given everything back', async () => {
      const link = await open();
      await using node = await StoreNode.start(link, 'node-a');
      const keys = Array.from({ length: 50 }, (_, n) => `u${n}-${Math.random()}`);
      const takes = keys.flatMap((key) => [node.counts.take('user', key, 1), node.counts.take('user', key, 1)]);
      await Promise.all(takes);
      for (const key of keys) node.counts.release('user', key);
      await expect.poll(() => node.counts.size).toBe(0);
      const left = await Promise.all(keys.map((key) => link.client.exists(link.key(`user:${key}`, 'places'))));
      expect(left.filter(Boolean)).toEqual([]);
    });

    it('count without what is no number of places', async () => {
      const link = await open();
      await using node = await StoreNode.start(link, 'node-a');
      const key = `u-${Math.random()}`;
      const places = link.key(`user:${key}`, 'places');
      const { incarnation } = node.registry.self;
      await link.client.hset(places, { [incarnation]: 'many', 'node-b#x': '', 'node-c#x': 'a:b:c' });
      expect([await node.counts.take('user', key, 1), await node.counts.take('user', key, 1)]).toEqual([true, false]);
      expect(await link.client.hkeys(places)).toEqual([incarnation]);
      expect(await node.counts.byNode('user', key)).toEqual(new Map([['node-a', 1]]));
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { ChannelName } from '../../../../../src/cluster/ports/broker.js';
import { RedisNodeRegistry } from '../../../../../src/cluster/redis/registry/redis-node-registry.js';
import { RedisPresenceStore } from '../../../../../src/cluster/redis/presence/redis-presence-store.js';
import { describePresenceStore } from '../../presence-contract.js';
import { onEveryRedis } from '../../redis-grounds.js';
import { REPORT, StoreNode, TEST_LEASE_MS } from '../../store-node.js';

onEveryRedis((open) => {
  describePresenceStore('RedisPresenceStore', {
    isShared: true,
    create: async () => {
      const link = await open();
      const registry = new RedisNodeRegistry(link, `node-${Math.random()}`, { leaseMs: TEST_LEASE_MS });
      await registry.report(REPORT);
      return new RedisPresenceStore(link, registry);
    },
  });

  describe('a presence store', () => {
    it('keeps nothing, here or in Redis, of a channel that everyone has left', async () => {
      const link = await open();
      await using node = await StoreNode.start(link, 'node-a');
      const channels = Array.from({ length: 50 }, (_, n) => `room:${Math.random()}-${n}` as ChannelName);
      const presence = { sessionId: 's', userId: 'alice' };
      await Promise.all(channels.map((channel) => node.presence.add(channel, presence)));
      await Promise.all(channels.map((channel) => node.presence.remove(channel, presence)));
      expect(node.presence.size).toBe(0);
      const { incarnation } = node.registry.self;
      const keys = [
        link.key(`node:${incarnation}`, 'presence'),
        ...channels.flatMap((channel) => [link.key(channel, 'sessions'), link.key(channel, 'users')]),
      ];
      await expect
        .poll(async () => (await Promise.all(keys.map((key) => link.client.exists(key)))).filter(Boolean))
        .toEqual([]);
    });
  });
});

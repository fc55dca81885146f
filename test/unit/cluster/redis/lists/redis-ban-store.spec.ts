import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RedisBanStore } from '../../../../../src/cluster/redis/lists/redis-ban-store.js';
import { describeBanStore } from '../../ban-store-contract.js';
import { onEveryRedis } from '../../redis-grounds.js';

onEveryRedis((open) => {
  describeBanStore('RedisBanStore', {
    isShared: true,
    create: async (maxBans) => new RedisBanStore(await open(), maxBans),
  });

  describe('what lies in the list of bans and is none', () => {
    it('is counted and dropped, and the others are listed', async () => {
      const link = await open(`test-${randomUUID().slice(0, 8)}`);
      const failures: string[] = [];
      link.on('failed', (reason) => failures.push(reason));
      const store = new RedisBanStore(link);
      const ban = {
        kind: 'user',
        key: 'mallory',
        until: Date.now() + 60_000,
        reason: 'a test',
        by: 'operator',
      } as const;
      await store.put(ban);
      const garbage = ['{', 'null', '7', '{}', JSON.stringify({ ...ban, until: 'soon' }), JSON.stringify(ban)];
      const list = link.key('bans', 'list');
      for (const [index, text] of garbage.entries()) await link.client.hset(list, `user:bad ${index}`, text);
      expect(await store.list()).toEqual([ban]);
      expect(failures).toEqual(Array(garbage.length).fill('malformed entry in the list of bans'));
      expect(await link.client.hkeys(list)).toEqual(['user:mallory']);
    });

    it('is an operator’s where it does not say by whom it was made, as older versions write it', async () => {
      const link = await open(`test-${randomUUID().slice(0, 8)}`);
      const ban = { kind: 'address', key: '192.0.2.1', until: Date.now() + 60_000, reason: 'a test' } as const;
      await link.client.hset(link.key('bans', 'list'), 'address:192.0.2.1', JSON.stringify(ban));
      await link.client.zadd(link.key('bans', 'endings'), ban.until, 'address:192.0.2.1');
      const store = new RedisBanStore(link);
      await store.put({ ...ban, by: 'breach', offences: 1 });
      expect(await store.list()).toEqual([{ ...ban, by: 'operator' }]);
    });

    it('is no ban to lift', async () => {
      const link = await open(`test-${randomUUID().slice(0, 8)}`);
      await link.client.hset(link.key('bans', 'list'), 'user:mallory', '{');
      const store = new RedisBanStore(link);
      expect(await store.lift('user', 'mallory')).toBe(false);
      expect(await link.client.exists(link.key('bans', 'list'))).toBe(0);
    });
  });
});

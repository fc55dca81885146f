import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RedisRevocationStore } from '../../../../../src/cluster/redis/lists/redis-revocation-store.js';
import { onEveryRedis } from '../../redis-grounds.js';
import { describeRevocationStore, tokenRevocation } from '../../revocation-store-contract.js';

onEveryRedis((open) => {
  describeRevocationStore('RedisRevocationStore', {
    isShared: true,
    create: async (max) => new RedisRevocationStore(await open(), max),
  });

  describe('what lies in the list of revocations and is none', () => {
    it('is counted and dropped, and the others are listed', async () => {
      const link = await open(`test-${randomUUID().slice(0, 8)}`);
      const failures: string[] = [];
      link.on('failed', (reason) => failures.push(reason));
      const store = new RedisRevocationStore(link);
      const good = tokenRevocation('t1');
      await store.put(good);
      const wrong = [{ kind: 'user' }, { until: 'soon' }, { kind: 'rights', issuedBefore: 1, roles: 'ADMIN' }];
      const rights = { kind: 'rights', issuedBefore: 1, roles: [], channels: { 'room:*': 'publish' } };
      const garbage = ['{', 'null', '7', '{}', JSON.stringify(good)];
      const list = link.key('revocations', 'list');
      for (const text of [...garbage, ...[...wrong, rights].map((fields) => JSON.stringify({ ...good, ...fields }))]) {
        await link.client.hset(list, `token:bad ${failures.length}`, text);
        expect(await store.list()).toEqual([good]);
      }
      expect(failures).toEqual(Array(9).fill('malformed entry in the list of revocations'));
      expect(await link.client.hkeys(list)).toEqual(['token:t1']);
    });
  });
});

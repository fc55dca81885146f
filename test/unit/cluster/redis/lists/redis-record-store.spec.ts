import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BANS } from '../../../../../src/cluster/ports/ban-store.js';
import { REVOCATIONS } from '../../../../../src/cluster/ports/revocation-store.js';
import { RedisRecordStore } from '../../../../../src/cluster/redis/lists/redis-record-store.js';
import { describeRecordStore, tokenRevocation } from '../../record-store-contract.js';
import { onEveryRedis } from '../../redis-grounds.js';

onEveryRedis((open) => {
  describeRecordStore('RedisRecordStore', {
    isShared: true,
    create: async (type, max) => new RedisRecordStore(await open(), type, max),
  });

  describe('what lies in the list of bans and is none', () => {
    it('is counted and dropped, and the others are listed', async () => {
      const link = await open(`test-${randomUUID().slice(0, 8)}`);
      const failures: string[] = [];
      link.on('failed', (reason) => failures.push(reason));
      const store = new RedisRecordStore(link, BANS);
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
      const store = new RedisRecordStore(link, BANS);
      await store.put({ ...ban, by: 'breach', offences: 1 });
      expect(await store.list()).toEqual([{ ...ban, by: 'operator' }]);
    });

    it('keeps no SERVICE from lifting or ordering anything', async () => {
      const link = await open(`test-${randomUUID().slice(0, 8)}`);
      const store = new RedisRecordStore(link, BANS);
      const until = Date.now() + 60_000;
      const order = { kind: 'user', key: 'mallory', until, reason: '', by: 'operator', givenAs: 'SERVICE' } as const;
      for (const text of ['{', '{}', Buffer.from([0x22, 0xff, 0x22])]) {
        const list = link.key('bans', 'list');
        await link.client.hset(list, 'user:mallory', text);
        expect(await store.lift('user', 'mallory', order)).toBe(false);
        await link.client.hset(list, 'user:mallory', text);
        expect(await store.put(order)).toBe(true);
        expect(await store.list()).toEqual([order]);
      }
    });

    it('is no ban to lift', async () => {
      const link = await open(`test-${randomUUID().slice(0, 8)}`);
      await link.client.hset(link.key('bans', 'list'), 'user:mallory', '{');
      const store = new RedisRecordStore(link, BANS);
      expect(await store.lift('user', 'mallory')).toBe(false);
      expect(await link.client.exists(link.key('bans', 'list'))).toBe(0);
    });
  });

  it('keeps an order of an ADMIN from a SERVICE, although the index was lost, and whatever its reason says', async () => {
    const link = await open(`test-${randomUUID().slice(0, 8)}`);
    const store = new RedisRecordStore(link, REVOCATIONS);
    const order = { ...tokenRevocation('t1'), reason: '"givenAs":"SERVICE"' };
    await store.put(order);
    await link.client.del(link.key('revocations', 'endings'), link.key('revocations', 'breaches'));
    expect(await store.lift('token', 't1', { givenAs: 'SERVICE' })).toEqual(order);
    expect(await store.put({ ...order, givenAs: 'SERVICE' })).toEqual(order);
    expect(await store.list()).toEqual([order]);
  });

  describe('what lies in the list of revocations and is none', () => {
    it('is counted and dropped, and the others are listed', async () => {
      const link = await open(`test-${randomUUID().slice(0, 8)}`);
      const failures: string[] = [];
      link.on('failed', (reason) => failures.push(reason));
      const store = new RedisRecordStore(link, REVOCATIONS);
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

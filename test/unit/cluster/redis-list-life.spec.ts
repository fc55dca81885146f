import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { BANS, type Ban } from '../../../src/cluster/ports/ban-store.js';
import { REVOCATIONS } from '../../../src/cluster/ports/revocation-store.js';
import { RedisRecordStore } from '../../../src/cluster/redis/lists/redis-record-store.js';
import type { RedisLink } from '../../../src/cluster/redis/connection/redis-link.js';
import { onEveryRedis } from './redis-grounds.js';
import { tokenRevocation } from './record-store-contract.js';

/** A list of bans or of revocations, with two entries in it. */
interface List {
  readonly tag: string;
  readonly life: () => Promise<string>;
  readonly keys: () => Promise<readonly string[]>;
  /** Puts an entry that ends at once, which is dropped by its place in the order. */
  readonly putEnded: () => Promise<unknown>;
}

function ban(key: string, others: Partial<Ban> = {}): Ban {
  return { kind: 'user', key, until: Date.now() + 60_000, reason: '', by: 'operator', ...others };
}

async function listOfBans(link: RedisLink): Promise<List> {
  const store = new RedisRecordStore(link, BANS);
  await store.put(ban('one'));
  await store.put(ban('two', { kind: 'address', by: 'breach', offences: 1 }));
  const keys = async () => (await store.list()).map(({ key }) => key).sort();
  return { tag: 'bans', life: () => store.life(), keys, putEnded: () => store.put(ban('ended', { until: 1 })) };
}

async function listOfRevocations(link: RedisLink): Promise<List> {
  const store = new RedisRecordStore(link, REVOCATIONS);
  await store.put(tokenRevocation('one'));
  await store.put(tokenRevocation('two'));
  const keys = async () => (await store.list()).map(({ key }) => key).sort();
  const putEnded = () => store.put({ ...tokenRevocation('ended'), until: 1 });
  return { tag: 'revocations', life: () => store.life(), keys, putEnded };
}

onEveryRedis((open) => {
  describe.each([
    ['bans', listOfBans],
    ['revocations', listOfRevocations],
  ] as const)('a list of %s', (_name, create) => {
    let link: RedisLink;
    let list: List;
    let before: string;
    const part = (name: string) => link.key(list.tag, name);
    beforeEach(async () => {
      link = await open(`test-${randomUUID().slice(0, 8)}`);
      list = await create(link);
      before = await list.life();
    });

    it('bears one name for all nodes, whatever comes and goes', async () => {
      await list.putEnded();
      expect(await list.keys()).toEqual(['one', 'two']);
      expect([await list.life(), await list.life()]).toEqual([before, before]);
    });

    it.each([
      ['all of its keys', ['list', 'endings', 'breaches']],
      ['its entries', ['list']],
    ] as const)('bears another name once it has lost %s, and then that one', async (_what, names) => {
      await Promise.all(names.map((name) => link.client.del(part(name))));
      const after = await list.life();
      expect(after).not.toBe(before);
      expect(await list.keys()).toEqual([]);
      expect(await list.life()).toBe(after);
    });

    it('bears another name once one entry is gone', async () => {
      const [, name = ''] = (await link.client.hkeys(part('list'))).filter((field) => field.includes(':'));
      await link.client.hdel(part('list'), name);
      const after = await list.life();
      expect(after).not.toBe(before);
      expect(await list.keys()).toHaveLength(1);
      expect(await list.life()).toBe(after);
    });

    it('is put in order again once its order is gone, and nothing of it is lost', async () => {
      await list.putEnded();
      await link.client.del(part('endings'));
      const after = await list.life();
      expect(after).not.toBe(before);
      expect(await list.keys()).toEqual(['one', 'two']);
      expect(await list.life()).toBe(after);
      expect(await list.keys()).toEqual(['one', 'two']);
      expect(await link.client.zcard(part('endings'))).toBe(2);
    });

    it('expires by itself where it is of no use', async () => {
      const empty = new RedisRecordStore(await open(`test-${randomUUID().slice(0, 8)}`), BANS);
      await empty.life();
      expect(await link.client.pttl(part('list'))).toBeGreaterThan(0);
    });
  });
});

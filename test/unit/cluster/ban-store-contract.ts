import { beforeEach, describe, expect, it } from 'vitest';
import type { Ban, BanStore } from '../../../src/cluster/ports/ban-store.js';
import { StoppedClock } from '../../support/stopped-clock.js';

/** How the suite gets a store. Two of one test share what they stand on, as two nodes of a cluster do. */
export interface BanStoreFactory {
  readonly create: (maxBans?: number) => Promise<BanStore>;
  /** Whether several are nodes of one cluster; false: each is alone. */
  readonly isShared: boolean;
}

/** What every ban store promises. */
export function describeBanStore(name: string, { create, isShared }: BanStoreFactory): void {
  describe(name, () => {
    let store: BanStore;
    const ban = (key: string, others: Partial<Ban> = {}): Ban => ({
      kind: 'address',
      key,
      until: Date.now() + 60_000,
      reason: 'too many',
      by: 'operator',
      ...others,
    });
    const keys = async (of = store) => (await of.list()).map(({ key }) => key).sort();

    beforeEach(async () => {
      store = await create();
      for (const { kind, key } of await store.list()) await store.lift(kind, key);
    });

    it('bears one name as long as it loses nothing', async () => {
      const life = await store.life();
      await store.put(ban('10.0.0.1'));
      expect(await store.life()).toBe(life);
    });

    it('lists what was put, as it was put', async () => {
      const bans = [
        ban('10.0.0.1', { by: 'breach', offences: 3 }),
        ban('grün', { kind: 'user', reason: '\0 "quotes" \u{1f44b}' }),
      ];
      for (const one of bans) await store.put(one);
      expect([...(await store.list())].sort((one, other) => (one.key < other.key ? -1 : 1))).toEqual(bans);
    });

    it('replaces a ban of the same kind and key', async () => {
      await store.put(ban('10.0.0.1'));
      const longer = ban('10.0.0.1', { until: Date.now() + 120_000, reason: 'again' });
      await store.put(longer);
      expect(await store.list()).toEqual([longer]);
      await store.put(ban('10.0.0.1', { kind: 'user' }));
      expect(await store.list()).toHaveLength(2);
    });

    it('lifts a ban, and says whether there was one', async () => {
      await store.put(ban('10.0.0.1'));
      await store.put(ban('10.0.0.2'));
      expect(await store.lift('user', '10.0.0.1')).toBe(false);
      expect(await store.lift('address', '10.0.0.1')).toBe(true);
      expect(await store.lift('address', '10.0.0.1')).toBe(false);
      expect(await keys()).toEqual(['10.0.0.2']);
    });

    it('knows nothing any more of a ban that has ended', async () => {
      using clock = new StoppedClock();
      await store.put(ban('short', { until: Date.now() + 30_000 }));
      await store.put(ban('long'));
      expect(await keys()).toEqual(['long', 'short']);
      clock.pass(30_000);
      expect(await keys()).toEqual(['long']);
      expect(await store.lift('address', 'short')).toBe(false);
      await store.put(ban('long', { until: Date.now() - 1 }));
      expect(await keys()).toEqual([]);
    });

    it('lets the one that ends soonest give way where there are too many', async () => {
      const small = await create(3);
      const now = Date.now();
      const ends = { b: 30_000, d: 50_000, a: 20_000, e: 60_000, c: 40_000 };
      for (const [key, end] of Object.entries(ends)) await small.put(ban(key, { until: now + end }));
      expect(await keys(small)).toEqual(['c', 'd', 'e']);
    });

    it('lets those of breaches give way first, however long they last', async () => {
      const small = await create(3);
      const later = Date.now() + 600_000;
      await small.put(ban('a', { by: 'breach', until: later }));
      await small.put(ban('b', { by: 'breach', until: later + 1 }));
      for (const key of ['c', 'd', 'e']) await small.put(ban(key));
      expect(await keys(small)).toEqual(['c', 'd', 'e']);
      await small.put(ban('f', { by: 'breach', until: later }));
      expect(await keys(small)).toEqual(['c', 'd', 'e']);
      expect(await small.lift('address', 'c')).toBe(true);
      await small.put(ban('f', { by: 'breach', until: later }));
      expect(await keys(small)).toEqual(['d', 'e', 'f']);
    });

    it('lets no breach replace what an operator made, while that lasts', async () => {
      using clock = new StoppedClock();
      const breach = ban('10.0.0.1', { by: 'breach', offences: 2, until: Date.now() + 600_000 });
      await store.put(ban('10.0.0.1', { until: Date.now() + 60_000 }));
      await store.put(breach);
      expect(await store.list()).toMatchObject([{ by: 'operator' }]);
      clock.pass(60_000);
      expect(await keys()).toEqual([]);
      await store.put(breach);
      expect(await store.list()).toEqual([breach]);
      const longer = ban('10.0.0.1');
      await store.put(longer);
      expect(await store.list()).toEqual([longer]);
    });

    it('takes again what it has lost, and keeps what it has, unless an operator bans for longer', async () => {
      const later = Date.now() + 120_000;
      const kept = ban('kept', { reason: 'of the store' });
      await store.put(kept);
      await store.put(ban('longer'));
      await store.put(ban('breach', { by: 'breach', offences: 1 }));
      const restated = [
        ban('kept', { until: kept.until - 1 }),
        ban('longer', { until: later }),
        ban('breach', { by: 'breach', offences: 1, until: later }),
        ban('lost'),
        ban('lost breach', { by: 'breach', offences: 2 }),
        ban('ended', { until: Date.now() - 1 }),
      ];
      expect(await store.restate(restated)).toBe(3);
      expect(await keys()).toEqual(['breach', 'kept', 'longer', 'lost', 'lost breach']);
      const all = await store.list();
      expect(all.find(({ key }) => key === 'kept')).toEqual(kept);
      expect(all.find(({ key }) => key === 'longer')?.until).toBe(later);
      expect(all.find(({ key }) => key === 'breach')?.until).toBeLessThan(later);
      expect(await store.restate(restated)).toBe(0);
    });

    it('takes again no more than it has room for', async () => {
      const small = await create(3);
      await small.restate(['a', 'b', 'c', 'd', 'e'].map((key, n) => ban(key, { until: Date.now() + 60_000 + n })));
      expect(await keys(small)).toEqual(['c', 'd', 'e']);
    });

    it('lists thousands', async () => {
      const names = Array.from({ length: 3_000 }, (_, n) => `10.0.${n}`);
      await Promise.all(names.map((key) => store.put(ban(key))));
      expect(await keys()).toEqual(names.sort());
    });

    it.runIf(isShared)('is the same on every node', async () => {
      const other = await create();
      await store.put(ban('10.0.0.1'));
      expect(await keys(other)).toEqual(['10.0.0.1']);
      expect(await other.lift('address', '10.0.0.1')).toBe(true);
      expect(await keys()).toEqual([]);
    });
  });
}

import { beforeEach, describe, expect, it } from 'vitest';
import type { Revocation, RevocationStore } from '../../../src/cluster/ports/revocation-store.js';
import { StoppedClock } from '../../support/stopped-clock.js';

/** How the suite gets a store. Two of one test share what they stand on, as two nodes of a cluster do. */
export interface RevocationStoreFactory {
  readonly create: (max?: number) => Promise<RevocationStore>;
  /** Whether several are nodes of one cluster; false: each is alone. */
  readonly isShared: boolean;
}

export function tokenRevocation(key: string, lastsMs = 60_000): Revocation {
  return { kind: 'token', key, until: Date.now() + lastsMs, reason: 'a test' };
}

/** What every store of revocations promises. */
export function describeRevocationStore(name: string, { create, isShared }: RevocationStoreFactory): void {
  describe(name, () => {
    let store: RevocationStore;
    const keys = async (of = store) => (await of.list()).map(({ key }) => key).sort();

    beforeEach(async () => {
      store = await create();
      for (const { kind, key } of await store.list()) await store.lift(kind, key);
    });

    it('bears one name as long as it loses nothing', async () => {
      const life = await store.life();
      await store.put(tokenRevocation('t1'));
      expect(await store.life()).toBe(life);
    });

    it('lists what was put, as it was put', async () => {
      const until = Date.now() + 60_000;
      const revocations: Revocation[] = [
        { kind: 'rights', key: 'ann', until, reason: '', issuedBefore: 7, roles: ['A'], channels: { 'room:*': [] } },
        { kind: 'rights', key: 'bob', until, reason: '', issuedBefore: 7, roles: [] },
        { kind: 'token', key: 'grün', until, reason: '\0 "quotes" \u{1f44b}' },
        { kind: 'user', key: 'zoe', until, reason: '', issuedBefore: 1_795_363_200_000 },
      ];
      for (const one of revocations) expect(await store.put(one)).toBe(true);
      expect([...(await store.list())].sort((one, other) => (one.key < other.key ? -1 : 1))).toEqual(
        revocations.sort((one, other) => (one.key < other.key ? -1 : 1)),
      );
    });

    it('replaces one of the same kind and key', async () => {
      await store.put(tokenRevocation('t1'));
      const longer = tokenRevocation('t1', 120_000);
      await store.put(longer);
      expect(await store.list()).toEqual([longer]);
      await store.put({ ...longer, kind: 'user', issuedBefore: 1 });
      expect(await store.list()).toHaveLength(2);
    });

    it('lifts one, and says whether there was one', async () => {
      await store.put(tokenRevocation('t1'));
      await store.put(tokenRevocation('t2'));
      expect(await store.lift('user', 't1')).toBe(false);
      expect(await store.lift('token', 't1')).toBe(true);
      expect(await store.lift('token', 't1')).toBe(false);
      expect(await keys()).toEqual(['t2']);
    });

    it('knows nothing any more of one whose time is over', async () => {
      using clock = new StoppedClock();
      await store.put(tokenRevocation('short', 30_000));
      await store.put(tokenRevocation('long'));
      clock.pass(30_000);
      expect(await keys()).toEqual(['long']);
      expect(await store.lift('token', 'short')).toBe(false);
    });

    it('takes no more than it has room for: none gives way, but one whose time is over', async () => {
      using clock = new StoppedClock();
      const small = await create(2);
      await small.put(tokenRevocation('long', 60_000));
      await small.put(tokenRevocation('short', 30_000));
      expect(await small.put(tokenRevocation('late'))).toBe(false);
      expect(await small.put(tokenRevocation('long', 90_000))).toBe(true);
      clock.pass(30_000);
      expect(await small.put(tokenRevocation('late'))).toBe(true);
      expect(await keys(small)).toEqual(['late', 'long']);
    });

    it('takes again what it has lost or holds in another state, as far as there is room', async () => {
      const small = await create(3);
      const [kept, older] = [tokenRevocation('kept'), tokenRevocation('older')];
      await small.put(kept);
      await small.put(older);
      const newer = { ...older, until: older.until + 1 };
      const restated = [
        kept,
        newer,
        tokenRevocation('lost'),
        tokenRevocation('one too many'),
        tokenRevocation('ended', -1),
      ];
      expect(await small.restate(restated)).toEqual({ taken: 2, refused: 1 });
      expect(await keys(small)).toEqual(['kept', 'lost', 'older']);
      expect((await small.list()).find(({ key }) => key === 'older')).toEqual(newer);
      expect(await small.restate(restated)).toEqual({ taken: 0, refused: 1 });
    });

    it('lists thousands', async () => {
      const names = Array.from({ length: 2_500 }, (_, n) => `t${n}`);
      await Promise.all(names.map((key) => store.put(tokenRevocation(key))));
      expect(await keys()).toEqual(names.sort());
    });

    it.runIf(isShared)('is the same on every node', async () => {
      const other = await create();
      await store.put(tokenRevocation('t1'));
      expect(await keys(other)).toEqual(['t1']);
      expect(await other.lift('token', 't1')).toBe(true);
      expect(await keys()).toEqual([]);
    });
  });
}

import { beforeEach, describe, expect, it } from 'vitest';
import { BANS, type Ban } from '../../../src/cluster/ports/ban-store.js';
import type { ListRecord, RecordStore, RecordType } from '../../../src/cluster/ports/record-store.js';
import { REVOCATIONS, type Revocation } from '../../../src/cluster/ports/revocation-store.js';
import { StoppedClock } from '../../support/stopped-clock.js';

/** How the suite gets a store. Two of one test share what they stand on, as two nodes of a cluster do. */
export interface RecordStoreFactory {
  readonly create: <R extends ListRecord>(type: RecordType<R>, max?: number) => Promise<RecordStore<R>>;
  /** Whether several are nodes of one cluster; false: each is alone. */
  readonly isShared: boolean;
}

export function ban(key: string, others: Partial<Ban> = {}): Ban {
  return { kind: 'address', key, until: Date.now() + 60_000, reason: 'too many', by: 'operator', ...others };
}

export function tokenRevocation(key: string, lastsMs = 60_000): Revocation {
  return { kind: 'token', key, until: Date.now() + lastsMs, reason: 'a test' };
}

const SERVICE = { givenAs: 'SERVICE' } as const;

interface Samples<R extends ListRecord> {
  readonly type: RecordType<R>;
  readonly make: (key: string, lastsMs?: number) => R;
  readonly ofOtherKind: (key: string) => R;
  /** One of each form. */
  readonly various: () => readonly R[];
}

const SAMPLES_OF_BANS: Samples<Ban> = {
  type: BANS,
  make: (key, lastsMs = 60_000) => ban(key, { until: Date.now() + lastsMs }),
  ofOtherKind: (key) => ban(key, { kind: 'user' }),
  various: () => [
    ban('10.0.0.1', { by: 'breach', offences: 3 }),
    ban('grün', { kind: 'user', reason: '\0 "quotes" \u{1f44b}' }),
  ],
};

const SAMPLES_OF_REVOCATIONS: Samples<Revocation> = {
  type: REVOCATIONS,
  make: tokenRevocation,
  ofOtherKind: (key) => ({ ...tokenRevocation(key), kind: 'user', issuedBefore: 1 }),
  various: () => {
    const until = Date.now() + 60_000;
    return [
      { kind: 'rights', key: 'ann', until, reason: '', issuedBefore: 7, roles: ['A'], channels: { 'room:*': [] } },
      { kind: 'rights', key: 'bob', until, reason: '', issuedBefore: 7, roles: [] },
      { kind: 'token', key: 'grün', until, reason: '\0 "quotes" \u{1f44b}' },
      { kind: 'user', key: 'zoe', until, reason: '', issuedBefore: 1_795_363_200_000 },
    ];
  },
};

async function keysIn(store: RecordStore<ListRecord>): Promise<string[]> {
  return (await store.list()).map(({ key }) => key).sort();
}

/** What every store of a replicated list promises. */
export function describeRecordStore(name: string, factory: RecordStoreFactory): void {
  describe(name, () => {
    describeList(factory, SAMPLES_OF_BANS);
    describeList(factory, SAMPLES_OF_REVOCATIONS);
    describeFullListOfBans(factory);
    describeFullListOfRevocations(factory);
  });
}

/** What holds for every type of records. */
function describeList<R extends ListRecord>({ create, isShared }: RecordStoreFactory, samples: Samples<R>): void {
  const { type, make, ofOtherKind, various } = samples;
  describe(type.list, () => {
    let store: RecordStore<R>;

    beforeEach(async () => {
      store = await create(type);
      await Promise.all((await store.list()).map(({ kind, key }) => store.lift(kind, key)));
    });

    it('bears one name as long as it loses nothing', async () => {
      const life = await store.life();
      await store.put(make('one'));
      expect(await store.life()).toBe(life);
    });

    it('lists what was put, as it was put', async () => {
      const records = various();
      for (const one of records) expect(await store.put(one)).toBe(true);
      expect([...(await store.list())].sort((one, other) => (one.key < other.key ? -1 : 1))).toEqual(records);
    });

    it('replaces one of the same kind and key', async () => {
      await store.put(make('one'));
      const longer = { ...make('one', 120_000), reason: 'again' };
      await store.put(longer);
      expect(await store.list()).toEqual([longer]);
      await store.put(ofOtherKind('one'));
      expect(await store.list()).toHaveLength(2);
    });

    it('lifts one, and says whether there was one', async () => {
      const { kind } = make('one');
      await store.put(make('one'));
      await store.put(make('two'));
      expect(await store.lift(ofOtherKind('one').kind, 'one')).toBe(false);
      expect(await store.lift(kind, 'one')).toBe(true);
      expect(await store.lift(kind, 'one')).toBe(false);
      expect(await keysIn(store)).toEqual(['two']);
    });

    it('lets a SERVICE neither lift nor replace what an ADMIN gave, and says what that is', async () => {
      const order = make('one');
      await store.put(order);
      expect(await store.lift(order.kind, 'one', SERVICE)).toEqual(order);
      for (const lastsMs of [120_000, 30_000, -1])
        expect(await store.put({ ...make('one', lastsMs), ...SERVICE })).toEqual(order);
      expect(await store.list()).toEqual([order]);
      const replacement = make('one', 30_000);
      expect(await store.put(replacement)).toBe(true);
      expect(await store.list()).toEqual([replacement]);
      expect(await store.lift(order.kind, 'one', {})).toBe(true);
      expect(await store.list()).toEqual([]);
    });

    it('lets everyone lift and replace what a SERVICE gave', async () => {
      const order = { ...make('one'), ...SERVICE };
      await store.put(order);
      const longer = { ...make('one', 120_000), ...SERVICE };
      expect(await store.put(longer)).toBe(true);
      expect(await store.list()).toEqual([longer]);
      expect(await store.lift(order.kind, 'one', SERVICE)).toBe(true);
      await store.put(order);
      expect(await store.lift(order.kind, 'one', {})).toBe(true);
      await store.put(order);
      expect(await store.put(make('one'))).toBe(true);
      expect(await store.lift(order.kind, 'one', SERVICE)).toMatchObject({ key: 'one' });
    });

    it('lets a SERVICE give an order once that of an ADMIN has ended', async () => {
      using clock = new StoppedClock();
      await store.put(make('one', 30_000));
      await store.put(make('two', 30_000));
      clock.pass(30_000);
      expect(await store.lift(make('one').kind, 'one', SERVICE)).toBe(false);
      expect(await store.put({ ...make('two'), ...SERVICE })).toBe(true);
      expect(await keysIn(store)).toEqual(['two']);
    });

    it('takes what an ADMIN gave again, and not what a SERVICE gave instead, however long that lasts', async () => {
      const [order, lesser] = [make('one'), { ...make('one', 120_000), ...SERVICE }];
      await store.put(order);
      expect(await store.restate([lesser])).toEqual({ taken: 0, refused: 0 });
      expect(await store.list()).toEqual([order]);
      await store.lift(order.kind, 'one');
      await store.put(lesser);
      expect(await store.restate([order])).toEqual({ taken: 1, refused: 0 });
      expect(await store.list()).toEqual([order]);
    });

    it('knows nothing any more of one whose time is over', async () => {
      using clock = new StoppedClock();
      await store.put(make('short', 30_000));
      await store.put(make('long'));
      expect(await keysIn(store)).toEqual(['long', 'short']);
      clock.pass(30_000);
      expect(await keysIn(store)).toEqual(['long']);
      expect(await store.lift(make('short').kind, 'short')).toBe(false);
      await store.put(make('long', -1));
      expect(await keysIn(store)).toEqual([]);
    });

    it('lists thousands', async () => {
      const names = Array.from({ length: 3_000 }, (_, n) => `10.0.${n}`);
      await Promise.all(names.map((key) => store.put(make(key))));
      expect(await keysIn(store)).toEqual(names.sort());
    });

    it.runIf(isShared)('is the same on every node', async () => {
      const other = await create(type);
      await store.put(make('one'));
      expect(await keysIn(other)).toEqual(['one']);
      expect(await other.lift(make('one').kind, 'one')).toBe(true);
      expect(await keysIn(store)).toEqual([]);
    });
  });
}

function describeFullListOfBans({ create }: RecordStoreFactory): void {
  describe('bans', () => {
    let store: RecordStore<Ban>;

    beforeEach(async () => {
      store = await create(BANS);
      await Promise.all((await store.list()).map(({ kind, key }) => store.lift(kind, key)));
    });

    it('lets the one that ends soonest give way where there are too many', async () => {
      const small = await create(BANS, 3);
      const now = Date.now();
      const ends = { b: 30_000, d: 50_000, a: 20_000, e: 60_000, c: 40_000 };
      for (const [key, end] of Object.entries(ends)) await small.put(ban(key, { until: now + end }));
      expect(await keysIn(small)).toEqual(['c', 'd', 'e']);
    });

    it('lets those of breaches give way first, however long they last', async () => {
      const small = await create(BANS, 3);
      const later = Date.now() + 600_000;
      await small.put(ban('a', { by: 'breach', until: later }));
      await small.put(ban('b', { by: 'breach', until: later + 1 }));
      for (const key of ['c', 'd', 'e']) await small.put(ban(key));
      expect(await keysIn(small)).toEqual(['c', 'd', 'e']);
      await small.put(ban('f', { by: 'breach', until: later }));
      expect(await keysIn(small)).toEqual(['c', 'd', 'e']);
      expect(await small.lift('address', 'c')).toBe(true);
      await small.put(ban('f', { by: 'breach', until: later }));
      expect(await keysIn(small)).toEqual(['d', 'e', 'f']);
    });

    it('lets no breach replace what an operator made, while that lasts', async () => {
      using clock = new StoppedClock();
      const breach = ban('10.0.0.1', { by: 'breach', offences: 2, until: Date.now() + 600_000 });
      await store.put(ban('10.0.0.1', { until: Date.now() + 60_000 }));
      await store.put(breach);
      expect(await store.list()).toMatchObject([{ by: 'operator' }]);
      clock.pass(60_000);
      expect(await keysIn(store)).toEqual([]);
      await store.put(breach);
      expect(await store.list()).toEqual([breach]);
      const longer = ban('10.0.0.1');
      await store.put(longer);
      expect(await store.list()).toEqual([longer]);
    });

    it('lets a SERVICE lift and replace those of breaches, and no breach replace its own', async () => {
      const breach = ban('10.0.0.1', { by: 'breach', offences: 1, until: Date.now() + 600_000 });
      await store.put(breach);
      expect(await store.lift('address', '10.0.0.1', SERVICE)).toBe(true);
      await store.put(breach);
      const order = ban('10.0.0.1', SERVICE);
      expect(await store.put(order)).toBe(true);
      await store.put(breach);
      expect(await store.restate([breach])).toEqual({ taken: 0, refused: 0 });
      expect(await store.list()).toEqual([order]);
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
      expect(await store.restate(restated)).toEqual({ taken: 3, refused: 0 });
      expect(await keysIn(store)).toEqual(['breach', 'kept', 'longer', 'lost', 'lost breach']);
      const all = await store.list();
      expect(all.find(({ key }) => key === 'kept')).toEqual(kept);
      expect(all.find(({ key }) => key === 'longer')?.until).toBe(later);
      expect(all.find(({ key }) => key === 'breach')?.until).toBeLessThan(later);
      expect(await store.restate(restated)).toEqual({ taken: 0, refused: 0 });
    });

    it('takes again no more than it has room for', async () => {
      const small = await create(BANS, 3);
      await small.restate(['a', 'b', 'c', 'd', 'e'].map((key, n) => ban(key, { until: Date.now() + 60_000 + n })));
      expect(await keysIn(small)).toEqual(['c', 'd', 'e']);
    });
  });
}

function describeFullListOfRevocations({ create }: RecordStoreFactory): void {
  describe('revocations', () => {
    it('takes no more than it has room for: none gives way, but one whose time is over', async () => {
      using clock = new StoppedClock();
      const small = await create(REVOCATIONS, 2);
      for (const { kind, key } of await small.list()) await small.lift(kind, key);
      await small.put(tokenRevocation('long', 60_000));
      await small.put(tokenRevocation('short', 30_000));
      expect(await small.put(tokenRevocation('late'))).toBe(false);
      expect(await small.put(tokenRevocation('long', 90_000))).toBe(true);
      clock.pass(30_000);
      expect(await small.put(tokenRevocation('late'))).toBe(true);
      expect(await keysIn(small)).toEqual(['late', 'long']);
    });

    it('takes again what it has lost or holds in another state, as far as there is room', async () => {
      const small = await create(REVOCATIONS, 3);
      for (const { kind, key } of await small.list()) await small.lift(kind, key);
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
      expect(await keysIn(small)).toEqual(['kept', 'lost', 'older']);
      expect((await small.list()).find(({ key }) => key === 'older')).toEqual(newer);
      expect(await small.restate(restated)).toEqual({ taken: 0, refused: 1 });
    });
  });
}

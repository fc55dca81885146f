import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Broker, ChannelName } from '../../../src/cluster/ports/broker.js';
import type {
  StateChange,
  StateCommit,
  StateEntry,
  StateOutcome,
  StateStore,
} from '../../../src/cluster/ports/state-store.js';
import { draft } from './broker-bench.js';

/** A store, and the broker of the same engine. */
export interface StateGround {
  readonly store: StateStore;
  readonly broker: Broker;
  close(): Promise<void>;
}

/** How the suite gets a store. Two of one test share what they stand on if `isShared`. */
export interface StateFactory {
  create(): Promise<StateGround>;
  readonly isShared: boolean;
}

const HISTORY = { size: 100, ageMs: 60_000 };
/** So short that it is over when the next call arrives. */
const OVER_AT_ONCE = 1;

/** What every store of state promises. */
export function describeStateStore(title: string, factory: StateFactory): void {
  describe(title, () => {
    let channel: ChannelName;
    let at: StateGround;
    const grounds: StateGround[] = [];
    const another = async (): Promise<StateGround> => {
      const ground = await factory.create();
      ground.broker.listen({ published: () => {}, interrupted: () => {} });
      grounds.push(ground);
      return ground;
    };
    beforeEach(async () => {
      channel = `test:${Math.random()}` as ChannelName;
      at = await another();
    });
    afterEach(async () => {
      for (const ground of grounds.splice(0)) await ground.close();
    });

    const commit = (changes: readonly StateChange[], more: Partial<StateCommit> = {}): Promise<StateOutcome> =>
      at.store.commit(channel, { ...plainCommit(changes), ...more });
    const values = async (): Promise<Record<string, unknown>> => {
      const entries: StateEntry[] = [];
      let from: string | undefined;
      do {
        const page = await at.store.page(channel, from);
        entries.push(...page.entries);
        from = page.next;
      } while (from !== undefined);
      return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
    };

    it('has nothing at first, at seq 0, and reading leaves nothing behind', async () => {
      expect(await values()).toEqual({});
      const { position, entry } = await at.store.get(channel, 'a');
      expect([position.seq, entry]).toEqual([0, undefined]);
      expect((await at.broker.history(channel, {})).publications).toEqual([]);
    });

    it('changes and publishes as one step; the version is the seq of the publication', async () => {
      const outcome = await commit([set('a', { x: 1 }, 0), set('b', [true], 0, 'alice: of "x"')]);
      const { top, publications } = await at.broker.history(channel, {});
      expect(outcome).toEqual({ is: 'done', position: top });
      expect(publications.map(({ seq, data }) => [seq, data])).toEqual([[1, 'changes']]);
      expect((await at.store.get(channel, 'a')).entry).toEqual(entryOf('a', { x: 1 }, 1));
      expect((await at.store.get(channel, 'b')).entry).toEqual(entryOf('b', [true], 1, 'alice: of "x"'));
    });

    it.each([
      ['text', 'grüße \u{1f44b} "\n'],
      ['a long number', 0.1 + 0.2],
      ['a large number', 2 ** 53 - 1],
      ['an empty list and an empty map', { list: [], map: {} }],
      ['null in a list', [null, { a: null }]],
      ['false', false],
    ])('keeps %s as it is', async (_name, value) => {
      await commit([set('grüße 1', value, 0)]);
      expect((await at.store.get(channel, 'grüße 1')).entry?.value).toEqual(value);
      expect(await values()).toEqual({ 'grüße 1': value });
    });

    it('does nothing if one key is at another version, and says how it is', async () => {
      await commit([set('a', 1, 0), set('b', 1, 0)]);
      const { position } = await at.store.get(channel, 'a');
      await commit([set('a', 2, 1)], { epoch: position.epoch });
      const outcome = await commit([set('a', 3, 1), set('b', 3, 1), set('c', 3, 0)], { epoch: position.epoch });
      expect(outcome).toEqual({ is: 'stale', epoch: position.epoch, entries: [entryOf('a', 2, 2)], absent: [] });
      expect(await values()).toEqual({ a: 2, b: 1 });
      expect((await at.broker.history(channel, { limit: 0 })).top.seq).toBe(2);
    });

    it('says which keys are absent that were expected', async () => {
      await commit([set('a', 1, 0)]);
      const outcome = await commit([set('b', 1, 7)]);
      expect(outcome).toMatchObject({ is: 'stale', entries: [], absent: ['b'] });
    });

    it('takes no version of another epoch', async () => {
      await commit([set('a', 1, 0)]);
      const outcome = await commit([set('a', 2, 1), set('b', 2, 0)], { epoch: 'another' });
      expect(outcome).toMatchObject({ is: 'stale', entries: [entryOf('a', 1, 1)], absent: ['b'] });
    });

    it('takes no version where nothing is, although an epoch is claimed, and then takes none', async () => {
      const outcome = await commit([set('a', 1, 0)], { epoch: 'another' });
      expect(outcome).toMatchObject({ is: 'stale', entries: [], absent: ['a'] });
      expect(await commit([set('a', 1, 0)])).toMatchObject({ is: 'done', position: { seq: 1 } });
    });

    it('removes keys, and is empty again', async () => {
      await commit([set('a', 1, 0), set('b', 1, 0)]);
      await commit([remove('a', 1), remove('b', 1)]);
      expect(await values()).toEqual({});
      expect((await at.broker.history(channel, {})).top.seq).toBe(2);
    });

    it('checks without a publication, which leaves seq and version', async () => {
      await commit([set('a', 1, 0)]);
      const outcome = await commit([keep('a', 1), keep('absent', 0)], { draft: undefined });
      expect(outcome).toMatchObject({ is: 'done', position: { seq: 1 } });
      expect(await commit([keep('a', 2)], { draft: undefined })).toMatchObject({ is: 'stale' });
      expect(await values()).toEqual({ a: 1 });
    });

    it('takes no more keys than fit, and says how many more do', async () => {
      await commit([set('a', 1, 0), set('b', 1, 0)], { maxKeys: 3 });
      expect(await commit([set('c', 1, 0), set('d', 1, 0)], { maxKeys: 3 })).toEqual({
        is: 'full',
        room: 1,
        grown: [],
      });
      expect(await commit([set('a', 2, 1), set('c', 1, 0)], { maxKeys: 3 })).toMatchObject({ is: 'done' });
      // Room is made in the same step.
      expect(await commit([remove('b', 1), set('d', 1, 0)], { maxKeys: 3 })).toMatchObject({ is: 'done' });
      expect(Object.keys(await values()).toSorted()).toEqual(['a', 'c', 'd']);
    });

    it('has 500 keys, and each is read', async () => {
      const keys = Array.from({ length: 500 }, (_, n) => `key ${n}`);
      await commit(keys.map((key) => set(key, { text: 'x'.repeat(100) }, 0)));
      expect(Object.keys(await values()).toSorted()).toEqual(keys.toSorted());
    });

    it('says whose time is over, and forgets it only if it is still so', async () => {
      await commit([set('short', 1, 0), set('renewed', 1, 0)], { ttlMs: OVER_AT_ONCE });
      await commit([set('long', 1, 0)], { ttlMs: 60_000 });
      await expect.poll(() => at.store.expired(channel, 10)).toHaveLength(2);
      expect((await at.store.get(channel, 'short')).entry?.hasExpired).toBe(true);
      expect((await at.store.get(channel, 'long')).entry?.hasExpired).toBe(false);
      expect(await at.store.expired(channel, 1)).toHaveLength(1);
      await commit([keep('renewed', 1)], { draft: undefined, ttlMs: 60_000 });
      expect(await commit([expire('short', 1), expire('renewed', 1)])).toMatchObject({
        is: 'stale',
        entries: [{ key: 'renewed', hasExpired: false }],
      });
      expect(await commit([expire('short', 1)])).toMatchObject({ is: 'done' });
      expect(await at.store.expired(channel, 10)).toEqual([]);
      expect(await values()).toEqual({ renewed: 1, long: 1 });
    });

    it('gives each version to one of those who change a key at one time', async () => {
      const others = factory.isShared ? [at, await another()] : [at];
      let done = 0;
      const raise = async ({ store }: StateGround): Promise<void> => {
        for (;;) {
          const { entry: known, position } = await store.get(channel, 'n');
          const expected = known?.version ?? 0;
          const change = set('n', Number(known?.value ?? 0) + 1, expected);
          const more = known === undefined ? {} : { epoch: position.epoch };
          if ((await store.commit(channel, { ...plainCommit([change]), ...more })).is !== 'done') continue;
          done += 1;
          return;
        }
      };
      await Promise.all(Array.from({ length: 12 }, (_, n) => raise(others[n % others.length] ?? at)));
      expect([done, await values()]).toEqual([12, { n: 12 }]);
    });

    it('is of its channel alone', async () => {
      await commit([set('a', 1, 0)]);
      expect((await at.store.page(`${channel}x` as ChannelName)).entries).toEqual([]);
    });
  });
}

function plainCommit(changes: readonly StateChange[]): StateCommit {
  return {
    changes,
    epoch: undefined,
    draft: draft('changes'),
    history: HISTORY,
    replicas: 0,
    maxKeys: 1_000,
    ttlMs: 0,
  };
}

export function set(key: string, value: unknown, expected: number, owner?: string): StateChange {
  return { key, what: 'set', value, expected, owner };
}

function remove(key: string, expected: number): StateChange {
  return { key, what: 'remove', expected };
}

function keep(key: string, expected: number): StateChange {
  return { key, what: 'keep', expected };
}

function expire(key: string, expected: number): StateChange {
  return { key, what: 'expire', expected };
}

function entryOf(key: string, value: unknown, version: number, owner?: string): StateEntry {
  return { key, value, version, owner, hasExpired: false };
}

import { beforeEach, describe, expect, it } from 'vitest';
import type { ChannelName } from '../../../src/cluster/ports/broker.js';
import type { PresenceStore } from '../../../src/cluster/ports/presence-store.js';

/** How the suite gets a store. Two of one test share what they stand on, as two nodes of a cluster do. */
export interface PresenceFactory {
  readonly create: () => Promise<PresenceStore>;
  /** Whether several stores are nodes of one cluster; false: each is alone. */
  readonly isShared: boolean;
}

/** What every presence store promises. */
export function describePresenceStore(name: string, { create, isShared }: PresenceFactory): void {
  describe(name, () => {
    const alice = { sessionId: 'a1', userId: 'alice' };
    const aliceToo = { sessionId: 'a2', userId: 'alice' };
    const bob = { sessionId: 'b1', userId: 'bob' };
    let store: PresenceStore;
    let channel: ChannelName;

    beforeEach(async () => {
      store = await create();
      channel = `room:${Math.random()}` as ChannelName;
    });

    it('says that a user has come with the first session, and gone with the last', async () => {
      expect(await store.add(channel, alice)).toBe(true);
      expect(await store.add(channel, aliceToo)).toBe(false);
      expect(await store.add(channel, bob)).toBe(true);
      expect(await store.remove(channel, alice)).toBe(false);
      expect(await store.remove(channel, aliceToo)).toBe(true);
      expect(await store.remove(channel, bob)).toBe(true);
    });

    it('says so once, though it is told twice', async () => {
      expect([await store.add(channel, alice), await store.add(channel, alice)]).toEqual([true, false]);
      expect(await store.members(channel)).toEqual([alice]);
      expect([await store.remove(channel, alice), await store.remove(channel, alice)]).toEqual([true, false]);
    });

    it('says so once, though many come and go at one time', async () => {
      const sessions = Array.from({ length: 50 }, (_, n) => ({ sessionId: `s${n}`, userId: 'alice' }));
      const came = await Promise.all(sessions.map((presence) => store.add(channel, presence)));
      const went = await Promise.all(sessions.map((presence) => store.remove(channel, presence)));
      expect([came, went].map((told) => told.filter(Boolean).length)).toEqual([1, 1]);
    });

    it('does not mind who leaves without having come', async () => {
      await store.add(channel, alice);
      expect(await store.remove(channel, aliceToo)).toBe(false);
      expect(await store.remove(channel, bob)).toBe(false);
      expect(await store.members(channel)).toEqual([alice]);
    });

    it('lists every session', async () => {
      for (const presence of [alice, aliceToo, bob]) await store.add(channel, presence);
      const members = [...(await store.members(channel))].sort((one, other) =>
        one.sessionId < other.sessionId ? -1 : 1,
      );
      expect(members).toEqual([alice, aliceToo, bob]);
    });

    it('reads no more sessions than asked for, of a channel of many, and every one once', async () => {
      const ids = Array.from({ length: 1_500 }, (_, n) => `s${n}`);
      await Promise.all(ids.map((sessionId) => store.add(channel, { sessionId, userId: `user of ${sessionId}` })));
      let steps = 0;
      const inTurn = <T>(step: () => Promise<T>): Promise<T> => ((steps += 1), step());
      for (const limit of [0, 1, 700, 1_500, 9_999]) {
        const some = await store.members(channel, { limit, inTurn });
        expect(some).toHaveLength(Math.min(limit, ids.length));
        expect(new Set(some.map(({ sessionId }) => sessionId)).size).toBe(some.length);
        for (const { sessionId, userId } of some) expect(userId).toBe(`user of ${sessionId}`);
      }
      const all = await store.members(channel);
      expect(all.map(({ sessionId }) => sessionId).sort()).toEqual(ids.toSorted());
      // In steps, where a read of all would take long. A small hash comes whole.
      if (isShared) expect(steps).toBeGreaterThan(8);
    });

    it('keeps channels apart', async () => {
      const other = `${channel}x` as ChannelName;
      await store.add(channel, alice);
      expect(await store.members(other)).toEqual([]);
      expect(await store.add(other, alice)).toBe(true);
      expect(await store.remove(other, alice)).toBe(true);
      expect(await store.members(channel)).toEqual([alice]);
    });

    it('of a session that leaves and is back at once says what it says in order', async () => {
      const said = await Promise.all([
        store.add(channel, alice),
        store.remove(channel, alice),
        store.add(channel, alice),
        store.remove(channel, alice),
        store.add(channel, alice),
      ]);
      expect(said).toEqual([true, true, true, true, true]);
      expect(await store.members(channel)).toEqual([alice]);
    });

    it.runIf(isShared)('counts the sessions of a user on all nodes, and lists them everywhere', async () => {
      const other = await create();
      const came = await Promise.all([store.add(channel, alice), other.add(channel, aliceToo)]);
      expect(came.filter(Boolean)).toHaveLength(1);
      expect(await other.add(channel, bob)).toBe(true);
      for (const one of [store, other]) {
        expect((await one.members(channel)).map(({ sessionId }) => sessionId).sort()).toEqual(['a1', 'a2', 'b1']);
      }
      const went = await Promise.all([store.remove(channel, alice), other.remove(channel, aliceToo)]);
      expect(went.filter(Boolean)).toHaveLength(1);
      expect(await store.members(channel)).toEqual([bob]);
    });

    it('takes any user id', async () => {
      for (const userId of ['__proto__', 'constructor', '', 'a b', 'grün \u{1f44b}']) {
        const presence = { sessionId: `s ${userId}`, userId };
        expect(await store.add(channel, presence)).toBe(true);
        expect(await store.members(channel)).toEqual([presence]);
        expect(await store.remove(channel, presence)).toBe(true);
      }
    });
  });
}

import { beforeEach, describe, expect, it } from 'vitest';
import { parseNamespaces } from '../../../config/namespaces.js';
import { channelNamed } from '../../../src/channels/channel.js';
import {
  PRESENCE_GRACE_MS,
  PresenceTracker,
  presenceChannelOf,
  type PresenceNews,
} from '../../../src/channels/presence-tracker.js';
import { MemoryBroker } from '../../../src/cluster/memory-broker.js';
import { MemoryPresenceStore } from '../../../src/cluster/memory-presence-store.js';
import { ReadableSession } from './node.js';
import type { Session } from '../../../src/sessions/session.js';

const room = channelNamed('room:x', parseNamespaces('namespaces: { room: { presence: true, join_leave: true } }'));
const over = (): number => performance.now() + PRESENCE_GRACE_MS;
const session = (userId?: string) => new ReadableSession(userId) as unknown as Session;

describe('presence', () => {
  let store: MemoryPresenceStore;
  let tracker: PresenceTracker;
  let news: string[];

  beforeEach(async () => {
    store = new MemoryPresenceStore();
    const broker = new MemoryBroker();
    news = [];
    broker.listen({
      interrupted: () => {},
      published: (_channel, { data }) => {
        const { event, member } = data as PresenceNews;
        news.push(`${member.userId} ${event}`);
      },
    });
    await broker.subscribe(presenceChannelOf(room));
    tracker = new PresenceTracker(store, broker);
    return async () => {
      tracker.onApplicationShutdown();
      await broker.close();
    };
  });

  it('tells of a user once, however many sessions it has, and though one enters twice', async () => {
    const sessions = [session(), session()] as const;
    for (const one of [...sessions, sessions[0]]) await tracker.enter(one, room);
    expect(news).toEqual(['alice join']);
    for (const one of sessions) await tracker.leave(one, room);
    expect(news).toEqual(['alice join', 'alice leave']);
  });

  it('of a connection that broke lasts for the grace, and ends then', async () => {
    const alice = session();
    await tracker.enter(alice, room);
    tracker.leaveLater(alice, room);
    await tracker.letGo(performance.now() + PRESENCE_GRACE_MS - 100);
    expect(await tracker.members(room)).toHaveLength(1);
    await tracker.letGo(over());
    expect([await tracker.members(room), news]).toEqual([[], ['alice join', 'alice leave']]);
  });

  it('does not flap where the user is back in time, and shows only the new session', async () => {
    const [before, after] = [session(), session()];
    await tracker.enter(before, room);
    tracker.leaveLater(before, room);
    await tracker.enter(after, room);
    expect(await tracker.members(room)).toEqual([{ sessionId: after.id, userId: 'alice' }]);
    await tracker.letGo(over());
    expect(news).toEqual(['alice join']);
    await tracker.leave(after, room);
    expect(news).toEqual(['alice join', 'alice leave']);
  });

  it('of a user is not ended by the ghost of another', async () => {
    const [alice, bob] = [session(), session('bob')];
    await tracker.enter(bob, room);
    await tracker.enter(alice, room);
    tracker.leaveLater(alice, room);
    await tracker.enter(bob, room);
    expect(await tracker.members(room)).toHaveLength(2);
    await tracker.letGo(over());
    expect(await tracker.members(room)).toEqual([{ sessionId: bob.id, userId: 'bob' }]);
  });

  it('of a session that enters again is not ended by its own ghost', async () => {
    const alice = session();
    await tracker.enter(alice, room);
    tracker.leaveLater(alice, room);
    await tracker.enter(alice, room);
    await tracker.letGo(over());
    expect(await tracker.members(room)).toHaveLength(1);
  });

  it('of a session that closes while it enters ends with its grace', async () => {
    const alice = session();
    const entering = tracker.enter(alice, room);
    tracker.leaveLater(alice, room);
    await entering;
    await tracker.letGo(over());
    expect([await tracker.members(room), news]).toEqual([[], ['alice join', 'alice leave']]);
  });

  it('ends also where the store was away at the end of the grace', async () => {
    const alice = session();
    await tracker.enter(alice, room);
    tracker.leaveLater(alice, room);
    const remove = store.remove.bind(store);
    store.remove = () => Promise.reject(new Error('away'));
    await tracker.letGo(over());
    store.remove = remove;
    await tracker.letGo(over() + 1_000);
    expect(await tracker.members(room)).toEqual([]);
  });

  it('of 10,000 sessions that broke at once is found by user in a moment', async () => {
    const sessions = Array.from({ length: 10_000 }, (_, n) => session(`user ${n}`));
    for (const one of sessions) {
      await tracker.enter(one, room);
      tracker.leaveLater(one, room);
    }
    const started = performance.now();
    for (let n = 0; n < 10_000; n += 1) await tracker.enter(session(`user ${n}`), room);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await tracker.members(room)).toHaveLength(10_000);
    expect(news).toHaveLength(10_000);
  });
});

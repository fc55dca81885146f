import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseNamespaces } from '../../../../config/namespaces.js';
import { channelNamed } from '../../../../src/channels/channel.js';
import {
  PRESENCE_GRACE_MS,
  PresenceTracker,
  presenceChannelOf,
  type PresenceNews,
} from '../../../../src/channels/presence/presence-tracker.js';
import type { ChannelName } from '../../../../src/cluster/ports/broker.js';
import { MemoryBroker } from '../../../../src/cluster/memory/memory-broker.js';
import { MemoryPresenceStore } from '../../../../src/cluster/memory/memory-presence-store.js';
import type { PresenceListener } from '../../../../src/cluster/ports/presence-store.js';
import { ReadableSession } from '../node.js';
import { SessionEvents } from '../../../../src/sessions/session-events.js';
import type { Session } from '../../../../src/sessions/session.js';
import { cpuTimeOf } from '../../../support/cpu-time.js';

const namespaces = parseNamespaces('namespaces: { room: { presence: true, join_leave: true } }');
const settings = { namespaces, maxPerSession: 0, presenceRate: 1, maxPresenceMembers: 0 };
const room = channelNamed('room:x', namespaces);
const over = (): number => performance.now() + PRESENCE_GRACE_MS;
const session = (userId?: string) => new ReadableSession(userId) as unknown as Session;

describe('presence', () => {
  let store: MemoryPresenceStore;
  let broker: MemoryBroker;
  let tracker: PresenceTracker;
  let news: string[];

  beforeEach(async () => {
    store = new MemoryPresenceStore();
    broker = new MemoryBroker();
    news = [];
    broker.listen({
      interrupted: () => {},
      published: (_channel, { data }) => {
        const { event, member } = data as PresenceNews;
        news.push(`${member.userId} ${event}`);
      },
    });
    await broker.subscribe(presenceChannelOf(room));
    tracker = new PresenceTracker(store, broker, settings, new SessionEvents());
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

  it('of a user is not ended by the member of another', async () => {
    const [alice, bob] = [session(), session('bob')];
    await tracker.enter(bob, room);
    await tracker.enter(alice, room);
    tracker.leaveLater(alice, room);
    await tracker.enter(bob, room);
    expect(await tracker.members(room)).toHaveLength(2);
    await tracker.letGo(over());
    expect(await tracker.members(room)).toEqual([{ sessionId: bob.id, userId: 'bob' }]);
  });

  it('of a session that enters again is not ended by its own member', async () => {
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

  it('of who leaves while the store is away ends after a grace', async () => {
    const alice = session();
    await tracker.enter(alice, room);
    const remove = store.remove.bind(store);
    store.remove = () => Promise.reject(new Error('away'));
    await tracker.leave(alice, room);
    store.remove = remove;
    await tracker.letGo(over());
    expect([await tracker.members(room), news]).toEqual([[], ['alice join', 'alice leave']]);
  });

  it('is told later where it cannot be told at once, in order, and not at all where it was undone meanwhile', async () => {
    const [alice, bob, carol] = [session(), session('bob'), session('carol')];
    await tracker.enter(bob, room);
    const publish = broker.publish.bind(broker);
    broker.publish = () => Promise.reject(new Error('away'));
    await tracker.enter(alice, room);
    await tracker.leave(bob, room);
    await tracker.enter(carol, room);
    await tracker.leave(carol, room);
    expect(news).toEqual(['bob join']);
    broker.publish = publish;
    await expect.poll(() => news).toEqual(['bob join', 'alice join', 'bob leave']);
    await tracker.leave(alice, room);
    expect(news.at(-1)).toBe('alice leave');
  });

  it('of users that went with their node is told, and that one of them is back', async () => {
    let told: PresenceListener | undefined;
    store.listen = (listener?: PresenceListener) => void (told = listener);
    const other = new PresenceTracker(store, broker, settings, new SessionEvents());
    for (let n = 0; n < 500; n += 1) told?.lost(room.name, `user ${n}`);
    told?.lost('unknown:x' as ChannelName, 'alice');
    await expect.poll(() => news.length).toBe(500);
    told?.back(room.name, 'user 7');
    await expect.poll(() => news.slice(499)).toEqual(['user 499 leave', 'user 7 join']);
    other.onApplicationShutdown();
  });

  it('of who comes and goes on and on is told at a rate, and as it is in the end', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const [alice, bob] = [session(), session('bob')];
    for (let n = 0; n < 100; n += 1) {
      await tracker.enter(alice, room);
      await tracker.leave(alice, room);
    }
    const pairs = (count: number) => Array.from({ length: count }, () => ['alice join', 'alice leave']).flat();
    expect(news).toEqual([...pairs(2), 'alice join']);
    expect(await tracker.members(room)).toHaveLength(1);
    await tracker.enter(bob, room);
    await tracker.leave(bob, room);
    expect(news.splice(0).slice(5)).toEqual(['bob join', 'bob leave']);

    await tracker.letGo(over());
    expect([news.splice(0), await tracker.members(room)]).toEqual([['alice leave'], []]);
    vi.advanceTimersByTime(4_000);
    await tracker.enter(alice, room);
    await tracker.leave(alice, room);
    expect(news).toEqual(pairs(1));
  });

  it('is told at once of every change where PRESENCE_RATE is 0', async () => {
    const unlimited = new PresenceTracker(store, broker, { ...settings, presenceRate: 0 }, new SessionEvents());
    const alice = session();
    for (let n = 0; n < 20; n += 1) {
      await unlimited.enter(alice, room);
      await unlimited.leave(alice, room);
    }
    expect(news).toHaveLength(40);
    unlimited.onApplicationShutdown();
  });

  it('of 10,000 sessions that broke at once is found by user in a moment', async () => {
    const sessions = Array.from({ length: 10_000 }, (_, n) => session(`user ${n}`));
    for (const one of sessions) {
      await tracker.enter(one, room);
      tracker.leaveLater(one, room);
    }
    const entering = async (): Promise<void> => {
      for (let n = 0; n < 10_000; n += 1) await tracker.enter(session(`user ${n}`), room);
    };
    expect(await cpuTimeOf(entering)).toBeLessThan(2_000);
    expect(await tracker.members(room)).toHaveLength(10_000);
    expect(news).toHaveLength(10_000);
  });
});

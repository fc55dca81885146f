import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChannelName } from '../../../src/cluster/broker.js';
import { RedisBanStore } from '../../../src/cluster/redis-ban-store.js';
import type { RedisLink } from '../../../src/cluster/redis-link.js';
import { eventually as untilTrue } from '../../support/eventually.js';
import { RedisServer } from '../../support/redis-server.js';
import { RedisLinks } from './redis-links.js';
import { SHORT_LEASE_MS, StoreNode } from './store-node.js';

const ROOM = 'room:a' as ChannelName;
const HALL = 'hall:b' as ChannelName;
const alice = { sessionId: 'a1', userId: 'alice' };
const aliceToo = { sessionId: 'a2', userId: 'alice' };
const bob = { sessionId: 'b1', userId: 'bob' };
const BUSY = expect.objectContaining({ code: 'SERVER_BUSY' }) as Error;

const links = new RedisLinks();
let redis: RedisServer;
let nodes: StoreNode[] = [];

beforeEach(async () => void (redis = await RedisServer.start()));
afterEach(async () => {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
  nodes = [];
  links.close();
  await redis[Symbol.asyncDispose]();
});

async function start(name: string, leaseMs = SHORT_LEASE_MS): Promise<StoreNode> {
  const node = await StoreNode.start(await links.open(redis.url, { redisTimeoutMs: 500 }), name, leaseMs);
  nodes.push(node);
  return node;
}

async function users(node: StoreNode, channel = ROOM): Promise<string[]> {
  return (await node.presence.members(channel)).map(({ userId }) => userId).sort();
}

/** As `eventually`; a Redis that is not back yet is asked again. */
function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  return untilTrue(what, async () => {
    try {
      return await holds();
    } catch {
      return false;
    }
  });
}

const isUp = (link: RedisLink) => eventually('the link is up', () => link.isUp);
const untilLeaseIsOver = (leaseMs = SHORT_LEASE_MS) => pause(1.3 * leaseMs);
const countOf = async (node: StoreNode, name: string) => (await node.counts.byNode('user', 'alice')).get(name);

describe('a node that is lost', () => {
  it('is in no channel any more; of each user that is gone with it, one node is told once', async () => {
    const [a, b, dying] = [await start('a'), await start('b'), await start('dying')];
    const channels = Array.from({ length: 100 }, (_, n) => `many:${n}` as ChannelName);
    await Promise.all(channels.map((channel) => dying.presence.add(channel, bob)));
    await Promise.all([dying.presence.add(ROOM, alice), a.presence.add(ROOM, aliceToo), dying.presence.add(ROOM, bob)]);
    await dying.presence.add(HALL, alice);
    dying.freeze();

    const toldOf = (what: string) => [...a.told, ...b.told].filter((word) => word.includes(what));
    await eventually('all are told of', () => toldOf('from').length >= 102);
    expect(toldOf('from room:a')).toEqual(['bob lost from room:a']);
    expect(toldOf('from hall:b')).toEqual(['alice lost from hall:b']);
    expect(toldOf('from many:')).toHaveLength(100);
    expect([await users(a), await users(b, HALL)]).toEqual([['alice'], []]);
    expect(await a.presence.add(HALL, aliceToo)).toBe(true);
    const { incarnation } = dying.registry.self;
    const index = a.link.key(`node:${incarnation}`, 'presence');
    await expect.poll(() => a.link.client.exists(index)).toBe(0);
  });

  it('shows nobody, though it was entered where no index knows', async () => {
    const [a, dying] = [await start('a'), await start('dying')];
    await dying.presence.add(ROOM, alice);
    const { incarnation } = dying.registry.self;
    await a.link.client.del(a.link.key(`node:${incarnation}`, 'presence'));
    dying.freeze();
    await eventually('nobody is shown', async () => (await users(a)).length === 0);
    await eventually('it is told', async () => {
      await users(a);
      return a.told.includes('alice lost from room:a');
    });
    expect(await a.presence.add(ROOM, aliceToo)).toBe(true);
  });

  it('gives its places back', async () => {
    const [a, dying] = [await start('a'), await start('dying')];
    for (const _ of 'ab') await dying.counts.take('user', 'alice', 2);
    expect(await a.counts.take('user', 'alice', 2)).toBe(false);
    dying.freeze();
    await eventually('there is room', () => a.counts.take('user', 'alice', 2));
    expect(await a.counts.byNode('user', 'alice')).toEqual(new Map([['a', 1]]));
  });

  it('and is back: has again what it has, and those who were told to be gone are told to be back', async () => {
    const [a, frozen] = [await start('a'), await start('frozen')];
    await frozen.presence.add(ROOM, alice);
    await frozen.presence.add(ROOM, bob);
    await a.presence.add(ROOM, aliceToo);
    await frozen.counts.take('user', 'alice', 2);
    frozen.freeze();
    await eventually('bob is gone', () => a.told.includes('bob lost from room:a'));
    await eventually('there is room', async () => (await countOf(a, 'frozen')) === undefined);
    frozen.thaw();
    await eventually('bob is back', async () => (await users(a)).join() === 'alice,alice,bob');
    expect(frozen.told).toEqual(['forgotten', 'bob back in room:a']);
    await eventually('its places are counted', async () => (await countOf(a, 'frozen')) === 1);
    expect(await frozen.presence.remove(ROOM, bob)).toBe(true);
    frozen.freeze();
    await eventually('it is cleared by its new name', async () => (await users(a)).join() === 'alice');
  });

  it('leaves nothing behind, though all nodes were lost, once one is there again', async () => {
    const dying = await start('a');
    await dying.presence.add(ROOM, alice);
    await dying.counts.take('user', 'alice', 1);
    dying.freeze();
    await untilLeaseIsOver();
    const again = await start('a');
    await eventually('alice is gone', () => again.told.includes('alice lost from room:a'));
    expect(await users(again)).toEqual([]);
    expect(await again.counts.take('user', 'alice', 1)).toBe(true);
  });

  it('in good order: what it left is cleared away all the same', async () => {
    const [a, leaving] = [await start('a'), await start('leaving')];
    await leaving.presence.add(ROOM, alice);
    leaving.freeze();
    await leaving.registry.withdraw();
    expect(await users(a)).toEqual(['alice']);
    await eventually('alice is gone', () => a.told.includes('alice lost from room:a'));
  });
});

describe('a Redis that has lost everything', () => {
  it('is told anew of every session and place, and nobody is told to have come or gone', async () => {
    const [a, b] = [await start('a'), await start('b')];
    await Promise.all(
      Array.from({ length: 450 }, (_, n) => a.presence.add(ROOM, { sessionId: `s${n}`, userId: `user ${n}` })),
    );
    await a.presence.add(HALL, alice);
    await b.presence.add(HALL, bob);
    for (const _ of 'abc') await a.counts.take('user', 'alice', 4);
    const down = Promise.all([once(a.link, 'down'), once(b.link, 'down')]);
    await redis.kill();
    await down;
    await redis.restart();
    await Promise.all([isUp(a.link), isUp(b.link)]);
    await eventually('all are in', async () => (await users(b)).length === 450);
    await eventually('in both', async () => (await users(a, HALL)).join() === 'alice,bob');
    await eventually('places are counted', async () => (await countOf(b, 'a')) === 3);
    expect([await b.counts.take('user', 'alice', 4), await b.counts.take('user', 'alice', 4)]).toEqual([true, false]);
    expect([a.told, b.told]).toEqual([['forgotten'], ['forgotten']]);
    expect(await a.presence.remove(HALL, alice)).toBe(true);
  });
});

describe('a Redis that has gone silent', () => {
  it('is answered for with SERVER_BUSY; nothing was counted, and what was given back meanwhile is known later', async () => {
    const [a, b] = [await start('a'), await start('b')];
    for (const _ of 'ab') await a.counts.take('user', 'alice', 0);
    await a.presence.add(ROOM, alice);
    const down = once(a.link, 'down');
    redis.signal('SIGSTOP');
    await Promise.all([
      expect(a.counts.take('user', 'alice', 9)).rejects.toEqual(BUSY),
      expect(a.presence.add(ROOM, bob)).rejects.toEqual(BUSY),
      expect(a.presence.remove(ROOM, alice)).rejects.toEqual(BUSY),
      expect(a.presence.members(ROOM)).rejects.toEqual(BUSY),
      expect(a.report()).rejects.toEqual(BUSY),
      expect(new RedisBanStore(a.link).list()).rejects.toEqual(BUSY),
    ]);
    await down;
    await expect(a.counts.take('user', 'bob', 9)).rejects.toEqual(BUSY);
    await expect(a.counts.byNode('user', 'alice')).rejects.toEqual(BUSY);
    a.counts.release('user', 'alice');
    redis.signal('SIGCONT');
    await Promise.all([isUp(a.link), isUp(b.link)]);
    await eventually('one place is counted', async () => (await countOf(b, 'a')) === 1);
    // Whether it was done or not: whoever asks again is told what it was not told.
    expect(await a.presence.remove(ROOM, alice)).toBe(true);
    expect(await a.presence.add(ROOM, bob)).toBe(true);
    expect(await users(b)).toEqual(['bob']);
    await eventually('only what counts is kept', () => a.counts.size === 1);
  });

  it('for longer than a lease: no node is lost by it', async () => {
    // Longer than the time between the moments at which two links notice that Redis is back.
    const leaseMs = 2_000;
    const [a, b] = [await start('a', leaseMs), await start('b', leaseMs)];
    await a.presence.add(ROOM, alice);
    redis.signal('SIGSTOP');
    await untilLeaseIsOver(leaseMs);
    redis.signal('SIGCONT');
    await Promise.all([isUp(a.link), isUp(b.link)]);
    await Promise.all([a.report(), b.report()]);
    expect(await users(b)).toEqual(['alice']);
    await untilLeaseIsOver(leaseMs);
    expect([a.told, b.told, await users(b)]).toEqual([[], [], ['alice']]);
  });
});

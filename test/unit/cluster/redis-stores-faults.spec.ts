// @module-tag redis
import { once } from 'node:events';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ChannelName } from '../../../src/cluster/ports/broker.js';
import { BANS } from '../../../src/cluster/ports/ban-store.js';
import { RedisRecordStore } from '../../../src/cluster/redis/lists/redis-record-store.js';
import { RedisPresenceStore } from '../../../src/cluster/redis/presence/redis-presence-store.js';
import type { RedisLink } from '../../../src/cluster/redis/connection/redis-link.js';
import { eventually as untilTrue } from '../../support/eventually.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { RedisServer } from '../../support/redis-server.js';
import { StoppedClock } from '../../support/stopped-clock.js';
import { RedisLinks } from './redis-links.js';
import { passLease, passSilence, StoreNode, TEST_LEASE_MS } from './store-node.js';

const ROOM = 'room:a' as ChannelName;
const HALL = 'hall:b' as ChannelName;
const alice = { sessionId: 'a1', userId: 'alice' };
const aliceToo = { sessionId: 'a2', userId: 'alice' };
const bob = { sessionId: 'b1', userId: 'bob' };
/** It takes so long to notice that Redis is silent. A starved process notices it now and then where it is not: whoever asks then asks again. */
const SOON_SILENT = { redisTimeoutMs: 3_000 };
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

/** @param settings such as a short timeout, where Redis is to be silent */
async function start(name: string, settings: { readonly redisTimeoutMs?: number } = {}): Promise<StoreNode> {
  const node = await StoreNode.start(await links.open(redis.url, settings), name);
  nodes.push(node);
  return node;
}

async function users(node: StoreNode, channel = ROOM): Promise<string[]> {
  return (await node.presence.members(channel)).map(({ userId }) => userId).sort();
}

/** As `eventually`; a Redis that is not back yet is asked again. */
function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const isSo = async (): Promise<boolean> => {
    try {
      return await holds();
    } catch {
      return false;
    }
  };
  return untilTrue(what, isSo);
}

const isUp = (link: RedisLink) => eventually('the link is up', () => link.isUp);
const countOf = async (node: StoreNode, name: string) => (await node.counts.byNode('user', 'alice')).get(name);

describe('a node that is lost', () => {
  it('is in no channel any more; of each user that is gone with it, one node is told once', async () => {
    const [a, b, dying] = [await start('a'), await start('b'), await start('dying')];
    const channels = Array.from({ length: 100 }, (_, n) => `many:${n}` as ChannelName);
    await Promise.all(channels.map((channel) => dying.presence.add(channel, bob)));
    await Promise.all([dying.presence.add(ROOM, alice), a.presence.add(ROOM, aliceToo), dying.presence.add(ROOM, bob)]);
    await dying.presence.add(HALL, alice);
    await dying.freeze();
    await passLease(a.link, a, b);

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
    await dying.freeze();
    await passLease(a.link, a);
    await eventually('nobody is shown', async () => (await users(a)).length === 0);
    using clock = new StoppedClock();
    clock.pass(3 * TEST_LEASE_MS);
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
    await dying.freeze();
    await passLease(a.link, a);
    await eventually('there is room', () => a.counts.take('user', 'alice', 2));
    expect(await a.counts.byNode('user', 'alice')).toEqual(new Map([['a', 1]]));
  });

  it('and is back: has again what it has, and those who were told to be gone are told to be back', async () => {
    const [a, frozen] = [await start('a'), await start('frozen')];
    await frozen.presence.add(ROOM, alice);
    await frozen.presence.add(ROOM, bob);
    await a.presence.add(ROOM, aliceToo);
    await frozen.counts.take('user', 'alice', 2);
    await frozen.freeze();
    await passLease(a.link, a);
    await eventually('bob is gone', () => a.told.includes('bob lost from room:a'));
    await eventually('there is room', async () => (await countOf(a, 'frozen')) === undefined);
    frozen.thaw();
    await eventually('bob is back', async () => (await users(a)).join() === 'alice,alice,bob');
    // Others may see it before the answer to its own command has come.
    await expect.poll(() => frozen.told).toEqual(['forgotten', 'bob back in room:a']);
    await eventually('its places are counted', async () => (await countOf(a, 'frozen')) === 1);
    expect(await frozen.presence.remove(ROOM, bob)).toBe(true);
    await frozen.freeze();
    await passLease(a.link, a);
    await eventually('it is cleared by its new name', async () => (await users(a)).join() === 'alice');
  });

  it('leaves nothing behind, though all nodes were lost, once one is there again', async () => {
    const dying = await start('a');
    await dying.presence.add(ROOM, alice);
    await dying.counts.take('user', 'alice', 1);
    await dying.freeze();
    await passSilence(dying.link);
    const again = await start('a');
    await passLease(again.link, again);
    await eventually('alice is gone', () => again.told.includes('alice lost from room:a'));
    expect(await users(again)).toEqual([]);
    expect(await again.counts.take('user', 'alice', 1)).toBe(true);
  });

  it('in good order: what it left is cleared away all the same', async () => {
    const [a, leaving] = [await start('a'), await start('leaving')];
    await leaving.presence.add(ROOM, alice);
    await leaving.freeze();
    await leaving.registry.withdraw();
    expect(await users(a)).toEqual(['alice']);
    await passLease(a.link, a);
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
    // A node enters everything again when Redis is back, and hears with its next report that it was forgotten.
    await eventually('both are told', () => a.told.length > 0 && b.told.length > 0);
    expect([a.told, b.told]).toEqual([['forgotten'], ['forgotten']]);
    expect(await a.presence.remove(HALL, alice)).toBe(true);
  });
});

describe('a Redis that comes back with an older state', () => {
  it('learns what came after it, and forgets what went', async () => {
    const [a, b] = [await start('a'), await start('b')];
    await Promise.all([a.presence.add(ROOM, alice), a.presence.add(HALL, alice)]);
    for (const user of ['alice', 'bob']) await a.counts.take('user', user, 0);
    const bans = new RedisRecordStore(a.link, BANS);
    const life = await bans.life();
    await a.link.client.save();
    await a.presence.remove(ROOM, alice);
    await a.presence.add(ROOM, bob);
    for (const _ of 'ab') await a.counts.take('user', 'alice', 0);
    a.counts.release('user', 'bob');
    const down = Promise.all([once(a.link, 'down'), once(b.link, 'down')]);
    await redis.kill();
    await down;
    await redis.restart();
    await Promise.all([isUp(a.link), isUp(b.link)]);
    await eventually('both have noticed', () => [a, b].every(({ told }) => told.includes('forgotten')));
    // The lives that the older state is of end with their lease.
    await passLease(a.link, a, b);
    await eventually('only who is there is in', async () => (await users(b)).join() === 'bob');
    await eventually('who stayed is in', async () => (await users(b, HALL)).join() === 'alice');
    await eventually('what was taken is counted', async () => (await countOf(b, 'a')) === 3);
    await eventually('what was given back is not', async () => (await b.counts.byNode('user', 'bob')).size === 0);
    const sessions = a.link.key(ROOM, 'sessions');
    await expect.poll(() => a.link.client.hkeys(sessions)).toEqual(['b1']);
    expect([a, b].map(({ told }) => told.filter((word) => word === 'forgotten').length)).toEqual([1, 1]);
    expect([...a.told, ...b.told].filter((word) => word.includes('hall:b'))).toEqual([]);
    expect(await bans.life()).not.toBe(life);
  });

  it('takes nobody for a namesake: its state of before is of nodes that are there', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const a = await start('a');
    await a.report();
    await a.link.client.save();
    const down = once(a.link, 'down');
    await redis.kill();
    await down;
    await redis.restart();
    await eventually('it is noticed', () => a.told.includes('forgotten'));
    await a.report();
    expect(warn).not.toHaveBeenCalled();
  });

  it('is told anew also where it is one server of a Redis Cluster, which its replica follows', async () => {
    await using cluster = await RedisCluster.start({ replicas: 1 });
    const link = await links.open(cluster.urls, { redisMode: 'cluster' });
    await isUp(link);
    await using node = await StoreNode.start(link, 'a');
    await node.presence.add(ROOM, alice);
    const sessions = link.key(ROOM, 'sessions');
    const owner = await cluster.ownerOf(sessions);
    await owner.kill();
    await cluster.replace(owner, sessions);
    await eventually('it is noticed', () => node.told.includes('forgotten'));
    await eventually('alice is in', async () => (await users(node)).join() === 'alice');
  });
});

describe('a server of a Redis Cluster that has gone silent', () => {
  it('keeps back only what it has to hold', async () => {
    await using cluster = await RedisCluster.start();
    const link = await links.open(cluster.urls, { redisMode: 'cluster', redisTimeoutMs: 3_000 });
    await isUp(link);
    await using node = await StoreNode.start(link, 'a');
    const store = new RedisPresenceStore(link, node.registry, { roundMs: 100 });
    const channels = Array.from({ length: 100 }, (_, n) => `many:${n}` as ChannelName);
    await Promise.all(channels.map((channel) => store.add(channel, alice)));
    const needed = [link.key('nodes', 'beats'), link.key(`node:${node.registry.self.incarnation}`, 'presence')];
    const spared = await Promise.all(needed.map((key) => cluster.ownerOf(key)));
    const silent = cluster.servers.find((server) => !spared.includes(server));
    const owners = await Promise.all(channels.map((channel) => cluster.ownerOf(link.key(channel, 'sessions'))));
    const last = channels.findLast((_, index) => owners[index] !== silent) ?? ROOM;
    silent?.signal('SIGSTOP');
    await link.client.del(link.key(last, 'sessions'));
    const isEntered = async () => (await link.client.exists(link.key(last, 'sessions'))) === 1;
    await eventually('it is entered anew', isEntered);
    store.close();
    silent?.signal('SIGCONT');
  });
});

describe('a Redis that has gone silent', () => {
  it('is answered for with SERVER_BUSY; nothing was counted, and what was given back meanwhile is known later', async () => {
    const [a, b] = [await start('a', SOON_SILENT), await start('b', SOON_SILENT)];
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
      expect(new RedisRecordStore(a.link, BANS).list()).rejects.toEqual(BUSY),
    ]);
    await down;
    await expect(a.counts.take('user', 'bob', 9)).rejects.toEqual(BUSY);
    await expect(a.counts.byNode('user', 'alice')).rejects.toEqual(BUSY);
    a.counts.release('user', 'alice');
    redis.signal('SIGCONT');
    await Promise.all([isUp(a.link), isUp(b.link)]);
    await eventually('one place is counted', async () => (await countOf(b, 'a')) === 1);
    // Whether it was done or not: whoever asks again is told what it was not told.
    await eventually('alice has left', () => a.presence.remove(ROOM, alice));
    await eventually('bob is in', () => a.presence.add(ROOM, bob));
    await eventually('only bob is', async () => (await users(b)).join() === 'bob');
    await eventually('only what counts is kept', () => a.counts.size === 1);
  });

  it('for longer than a lease: no node is lost by it', async () => {
    const [a, b] = [await start('a', SOON_SILENT), await start('b', SOON_SILENT)];
    await a.presence.add(ROOM, alice);
    const down = Promise.all([once(a.link, 'down'), once(b.link, 'down')]);
    redis.signal('SIGSTOP');
    await down;
    for (const node of [a, b]) await node.freeze();
    redis.signal('SIGCONT');
    await eventually('a lease has passed', async () => {
      await passSilence(a.link);
      return true;
    });
    for (const node of [a, b]) {
      await isUp(node.link);
      node.thaw();
    }
    const isThere = async (): Promise<boolean> => (await users(b)).join() === 'alice';
    await eventually('alice is there', isThere);
    await eventually('another lease has passed', async () => {
      await passLease(a.link, a, b);
      return true;
    });
    await eventually('alice is still there', isThere);
    expect([a.told, b.told]).toEqual([[], []]);
  });
});

import type { Cluster } from 'ioredis';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChannelName, Publication } from '../../../src/cluster/ports/broker.js';
import { RedisBroker } from '../../../src/cluster/redis/broker/redis-broker.js';
import type { RedisLink } from '../../../src/cluster/redis/connection/redis-link.js';
import { GatehouseError } from '../../../src/protocol/gatehouse-error.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { RedisServer } from '../../support/redis-server.js';
import { draft, KEPT, UNKEPT } from './broker-bench.js';
import { RedisLinks } from './redis-links.js';

const CHANNEL = 'log:a' as ChannelName;
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
const links = new RedisLinks();
afterEach(() => links.close());

/** A broker that is subscribed, and what it is told. */
async function brokerOn(link: RedisLink) {
  const broker = new RedisBroker(link);
  const arrived: Publication[] = [];
  let interruptions = 0;
  broker.listen({
    published: (_channel, publication) => arrived.push(publication),
    interrupted: () => (interruptions += 1),
  });
  await broker.subscribe(CHANNEL);
  return {
    broker,
    arrived,
    interruptions: () => interruptions,
    publish: (data: unknown, options = KEPT) => broker.publish(CHANNEL, draft(data), options),
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

describe('a Redis that is restarted', () => {
  it('with its data: goes on in another epoch, which says what it goes on from', async () => {
    await using redis = await RedisServer.start(DURABLE);
    const link = await links.open(redis.url);
    await using node = await brokerOn(link);
    const before = (await node.publish('a')).position;
    await redis.kill();
    await redis.restart();
    await once(link, 'up');
    await expect.poll(node.interruptions).toBeGreaterThan(0);

    const after = (await node.publish('b')).position;
    expect(after?.seq).toBe(2);
    expect(after?.epoch).not.toBe(before?.epoch);
    const { continues, publications } = await node.broker.history(CHANNEL, {});
    expect(continues).toEqual([before]);
    expect(publications.map(({ data }) => data)).toEqual(['a', 'b']);
  });

  it('without: begins anew, and goes on from nothing', async () => {
    await using redis = await RedisServer.start();
    const link = await links.open(redis.url);
    await using node = await brokerOn(link);
    const before = (await node.publish('a')).position;
    await redis.kill();
    await redis.restart();
    await once(link, 'up');

    const { top, continues } = await node.broker.history(CHANNEL, {});
    expect(top.epoch).not.toBe(before?.epoch);
    expect([top.seq, continues]).toEqual([0, []]);
    expect((await node.publish('b')).position).toEqual({ epoch: top.epoch, seq: 1 });
  });

  it('often: knows the epochs before, and of each only what it has itself', async () => {
    await using redis = await RedisServer.start(DURABLE);
    const link = await links.open(redis.url);
    await using node = await brokerOn(link);
    const epochs: (string | undefined)[] = [];
    for (let round = 0; round < 3; round += 1) {
      if (round > 0) {
        await redis.kill();
        await redis.restart();
        await once(link, 'up');
      }
      epochs.push((await node.publish(round)).position?.epoch);
    }
    const { continues } = await node.broker.history(CHANNEL, { limit: 0 });
    expect(continues).toEqual([
      { epoch: epochs[1], seq: 2 },
      { epoch: epochs[0], seq: 1 },
    ]);
  });
});

describe('a Redis that has gone', () => {
  it('silent is noticed; what cannot be promised is refused, the rest reaches those on this node', async () => {
    await using redis = await RedisServer.start();
    const link = await links.open(redis.url, { redisTimeoutMs: 3_000 });
    await using node = await brokerOn(link);
    const down = once(link, 'down');
    redis.signal('SIGSTOP');
    await expect(node.publish('a')).rejects.toMatchObject({ code: 'SERVER_BUSY', retryAfter: expect.any(Number) });
    await down;

    await expect(node.publish('b')).rejects.toBeInstanceOf(GatehouseError);
    await expect(node.publish('c', { ...UNKEPT, idempotencyKey: 'k' })).rejects.toBeInstanceOf(GatehouseError);
    await expect(node.broker.history(CHANNEL, {})).rejects.toBeInstanceOf(GatehouseError);
    await expect(node.publish('all', { ...UNKEPT, isForAllNodes: true })).rejects.toBeInstanceOf(GatehouseError);
    const mark = { edge: 'e', run: 'r', seq: 1, after: 0 };
    await expect(node.publish('marked', { ...UNKEPT, mark })).rejects.toBeInstanceOf(GatehouseError);
    await node.publish('local', UNKEPT);
    expect(node.arrived.map(({ data }) => data)).toEqual(['local']);

    const up = once(link, 'up');
    redis.signal('SIGCONT');
    await up;
    await expect.poll(node.interruptions).toBeGreaterThan(0);
    // What comes before its subscriber is back is found in the history.
    const publishBack = async (): Promise<unknown> => {
      await node.publish('back').catch(() => {});
      return node.arrived.at(-1)?.data;
    };
    await expect.poll(publishBack).toBe('back');
  });

  it('to subscribers alone: their channels are subscribed again', async () => {
    await using redis = await RedisServer.start();
    const link = await links.open(redis.url);
    await using node = await brokerOn(link);
    await link.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await expect.poll(node.interruptions).toBe(1);
    await node.publish('a');
    await expect.poll(() => node.arrived.length).toBe(1);
  });
});

describe('a Redis that is not there when the node starts', () => {
  it('is used as soon as it comes', async () => {
    await using redis = await RedisServer.start();
    await redis.kill();
    const link = links.create(redis.url);
    const broker = new RedisBroker(link);
    await expect(broker.subscribe(CHANNEL)).rejects.toBeInstanceOf(GatehouseError);
    await redis.restart();
    await once(link, 'up');
    await expect
      .poll(() =>
        broker.subscribe(CHANNEL).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await broker.close();
  });
});

describe('what another program puts into Redis', () => {
  const BODIES: [string, Buffer][] = [
    ['text', Buffer.from('x')],
    ['nothing', Buffer.alloc(0)],
    ['a head alone', Buffer.from('e1 1 1 5\n')],
    ['a head that lies', Buffer.from('e1 1 1 99999999\nabc')],
    ['another list', Buffer.concat([Buffer.from('- 0 1 2\n'), Buffer.from([0x91, 0x01])])],
    ['a list that is not there', Buffer.concat([Buffer.from('- 0 1 5\n'), Buffer.from([0xdd, 255, 255, 255, 255])])],
  ];
  it.each(BODIES)('is passed over and counted: %s', async (_name, message) => {
    await using redis = await RedisServer.start();
    const link = await links.open(redis.url);
    const failures: string[] = [];
    link.on('failed', (reason) => failures.push(reason));
    await using node = await brokerOn(link);
    await link.client.publish(link.key(CHANNEL), message);
    await node.publish('ours');
    await expect.poll(() => node.arrived.map(({ data }) => data)).toEqual(['ours']);
    expect([failures.length, node.interruptions()]).toEqual([1, 1]);
  });

  it('in a history is missing from it', async () => {
    await using redis = await RedisServer.start();
    const link = await links.open(redis.url);
    await using node = await brokerOn(link);
    await node.publish('a');
    await link.client.xadd(link.key(CHANNEL, 'log'), '2-0', 't', String(Date.now()), 'p', 'garbage');
    await link.client.hset(link.key(CHANNEL, 'meta'), 'seq', '2');
    await node.publish('c');
    const { top, publications } = await node.broker.history(CHANNEL, {});
    expect([top.seq, publications.map(({ seq }) => seq)]).toEqual([3, [1, 3]]);
  });
});

describe('a master of a Redis Cluster that dies', () => {
  it('is replaced; publications reach those who had subscribed at it, and those that it knew are known', async () => {
    await using cluster = await RedisCluster.start({ replicas: 1 });
    const link = await links.open(cluster.urls, { redisMode: 'cluster' });
    await using node = await brokerOn(link);
    await node.publish('a');
    await expect.poll(() => node.arrived.length).toBe(1);
    const key = link.key(CHANNEL);
    const master = await cluster.ownerOf(key);
    // Replication lags behind: what the replica has not got is lost with its master.
    await (link.client as unknown as Cluster)
      .nodes('master')
      .find(({ options }) => options.port === master.port)
      ?.wait(1, 5_000);
    await master.kill();
    await cluster.replace(master, key);
    // Refused until the link has found the new master.
    await expect
      .poll(() =>
        node.publish('b').then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    // What comes before it has moved too is not lost: it is told to look.
    const known: unknown[] = ['a', 'b'];
    const arrives = async (): Promise<boolean> => {
      await node.publish(known.length);
      known.push(known.length);
      return node.arrived.length > 1;
    };
    await expect.poll(arrives).toBe(true);
    await expect.poll(node.interruptions).toBeGreaterThan(0);
    const { publications } = await node.broker.history(CHANNEL, {});
    // One that was refused may have been made all the same.
    expect(publications.map(({ data }) => data)).toEqual(expect.arrayContaining(known));
    expect(publications.map(({ seq }) => seq)).toEqual(publications.map((_, index) => index + 1));
  });
});

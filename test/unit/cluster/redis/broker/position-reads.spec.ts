import calculateSlot from 'cluster-key-slot';
import { describe, expect, it } from 'vitest';
import type { ChannelName, Position } from '../../../../../src/cluster/ports/broker.js';
import { RedisBroker } from '../../../../../src/cluster/redis/broker/redis-broker.js';
import { MEMORY_MS } from '../../../../../src/cluster/redis/broker/redis-entries.js';
import { MAX_POSITIONS, PositionReads } from '../../../../../src/cluster/redis/broker/position-reads.js';
import type { RedisLink } from '../../../../../src/cluster/redis/connection/redis-link.js';
import { draft, KEPT } from '../../broker-bench.js';
import { onEveryRedis, type OpenLink } from '../../redis-grounds.js';

/** More than fit into the commands that a link has under way, and than one command reads. */
const VERY_MANY = 30_000;

async function brokerWith(open: OpenLink, count: number) {
  const link = await open();
  const broker = new RedisBroker(link);
  const names = Array.from({ length: count }, (_, n) => `log:${Math.random()}-${n}` as ChannelName);
  await Promise.all(names.map((name) => broker.subscribe(name)));
  const positionOf = async (name: ChannelName): Promise<Position> => (await broker.history(name, { limit: 0 })).top;
  return {
    link,
    broker,
    names,
    positionOf,
    positions: async () =>
      new Map(await Promise.all(names.map(async (name) => [name, await positionOf(name)] as const))),
    publish: (name: ChannelName) => broker.publish(name, draft('a'), KEPT),
    metaOf: (name: ChannelName) => link.key(name, 'meta'),
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

describe('a server of a cluster that does not answer', () => {
  it('holds up no reads from the others', async () => {
    const key = (tag: string, part: string): string => `{${tag}}:${part}`;
    const isSilent = (one: string): boolean => calculateSlot(one) < 8_192;
    const link = {
      isCluster: true,
      key,
      serverOf: (one: string) => (isSilent(one) ? 'silent' : 'other'),
      run: (_script: unknown, keys: readonly string[]) =>
        keys.some(isSilent) ? new Promise(() => {}) : Promise.resolve(keys.map(() => 'epoch 1').join('\n')),
    };
    const reads = new PositionReads(link as unknown as RedisLink);
    const names = Array.from({ length: 2_000 }, (_, n) => `log:${n}` as ChannelName);
    const silent = names.filter((name) => isSilent(key(name, 'meta')));
    expect(silent.length).toBeGreaterThan(500);
    for (const name of silent) void reads.positionOf(name);
    void reads.moved(new Map(silent.map((name) => [name, { epoch: 'epoch', seq: 0 }])));
    const others = names.filter((name) => !silent.includes(name));
    const found = await Promise.all(others.map((name) => reads.positionOf(name)));
    expect(new Set(found.map(({ top }) => `${top.epoch} ${top.seq}`))).toEqual(new Set(['epoch 1']));
  });
});

onEveryRedis((open) => {
  describe('the positions of very many channels', () => {
    it('are all found, where all are asked for in one moment', { timeout: 60_000 }, async () => {
      await using node = await brokerWith(open, VERY_MANY);
      const [first, last] = [node.names[0], node.names.at(-1)] as [ChannelName, ChannelName];
      await node.publish(first);
      const positions = await node.positions();
      expect(positions.size).toBe(VERY_MANY);
      expect([positions.get(first)?.seq, positions.get(last)?.seq]).toEqual([1, 0]);
      expect((await node.publish(last)).position).toEqual({ epoch: positions.get(last)?.epoch, seq: 1 });
    });
  });

  describe('a check of positions', () => {
    it('names the channels that have moved on, that are lost, and no others', async () => {
      await using node = await brokerWith(open, 2 * MAX_POSITIONS + 50);
      const known = await node.positions();
      const moved = [3, MAX_POSITIONS, 2 * MAX_POSITIONS + 49].map((index) => node.names[index] as ChannelName);
      for (const name of moved) await node.publish(name);
      const lost = node.names[7] as ChannelName;
      await node.link.client.del(node.metaOf(lost));
      const found = await node.broker.checks.moved(known);
      expect(found.toSorted()).toEqual([...moved, lost].toSorted());
      expect(await node.broker.checks.moved(await node.positions())).toEqual([]);
    });

    it('keeps the positions known, and leaves those alone that never go', async () => {
      await using node = await brokerWith(open, 2);
      const known = await node.positions();
      const [passing, lasting] = node.names.map((name) => node.metaOf(name)) as [string, string];
      await node.link.client.pexpire(passing, 1_000);
      await node.link.client.hset(lasting, 'life', 0);
      await node.link.client.persist(lasting);
      await node.broker.checks.moved(known);
      expect(await node.link.client.pttl(passing)).toBeGreaterThan(MEMORY_MS - 60_000);
      expect(await node.link.client.pttl(lasting)).toBe(-1);
    });
  });

  it('a position comes with the epochs that it goes on from', async () => {
    await using node = await brokerWith(open, 1);
    const [name] = node.names as [ChannelName];
    await node.publish(name);
    await node.link.client.hset(node.metaOf(name), 'former', 'older 5 oldest 3');
    expect((await node.broker.history(name, { limit: 0 })).continues).toEqual([
      { epoch: 'older', seq: 5 },
      { epoch: 'oldest', seq: 3 },
    ]);
  });

  it('without Redis, a position is refused, and a check names no channel', async () => {
    await using node = await brokerWith(open, 1);
    const [name] = node.names as [ChannelName];
    const known = new Map([[name, { epoch: 'another', seq: 1 }]]);
    expect(await node.broker.checks.moved(known)).toEqual([name]);
    node.link.close();
    await expect(node.positionOf(name)).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    expect(await node.broker.checks.moved(known)).toEqual([]);
  });
});

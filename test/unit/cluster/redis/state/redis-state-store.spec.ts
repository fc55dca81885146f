import { expect, it } from 'vitest';
import type { ChannelName } from '../../../../../src/cluster/ports/broker.js';
import { RedisBroker } from '../../../../../src/cluster/redis/broker/redis-broker.js';
import { RedisStateStore } from '../../../../../src/cluster/redis/state/redis-state-store.js';
import { draft } from '../../broker-bench.js';
import { onEveryRedis, type OpenLink } from '../../redis-grounds.js';
import { describeStateCells } from '../../state-cells-contract.js';
import { describeStateStore, set } from '../../state-store-contract.js';

async function ground(open: OpenLink) {
  const link = await open();
  const broker = new RedisBroker(link);
  return { link, broker, store: new RedisStateStore(link, broker), close: () => broker.close() };
}

const COMMIT = {
  epoch: undefined,
  draft: draft('changes'),
  history: { size: 10, ageMs: 60_000 },
  replicas: 0,
  maxKeys: 1_000,
  ttlMs: 60_000,
};

onEveryRedis((open) => {
  describeStateStore('RedisStateStore', { isShared: true, create: () => ground(open) });
  describeStateCells('the cells of RedisStateStore', { isShared: true, create: () => ground(open) });

  it('gives up what was stored under another grid, because nobody could find it', async () => {
    const { store, close } = await ground(open);
    const channel = `test:${Math.random()}` as ChannelName;
    const cells = { grid: 'g', drafts: [{ cell: '1:2', draft: draft('in 1:2') }] };
    await store.commit(channel, { ...COMMIT, changes: [{ ...set('a', 1, 0), cell: '1:2' }], cells });
    const before = (await store.get(channel, 'a')).position;
    const { position, entries } = await store.cellPage({ channel, grid: 'another', cell: '1:2' });
    expect([position.seq, entries, (await store.page(channel)).entries]).toEqual([0, [], []]);
    expect(position.epoch).not.toBe(before.epoch);
    await close();
  });

  it.each(['area', 'cells'])('begins an epoch that continues none if Redis has lost %s alone', async (part) => {
    const { link, store, close } = await ground(open);
    const channel = `test:${Math.random()}` as ChannelName;
    const cells = { grid: 'g', drafts: [{ cell: '1:2', draft: draft('in 1:2') }] };
    await store.commit(channel, { ...COMMIT, changes: [{ ...set('a', 1, 0), cell: '1:2' }], cells });
    expect(await link.client.pttl(link.key(channel, part))).toBeGreaterThan(300_000);
    await link.client.del(link.key(channel, part));
    const { position, entries } = await store.cellPage({ channel, grid: 'g', cell: '1:2' });
    expect([position.seq, entries]).toEqual([0, []]);
    expect((await store.get(channel, 'a')).entry).toBeUndefined();
    await close();
  });

  it('begins an epoch that continues none if Redis has lost a part of the state alone', async () => {
    const { link, broker, store, close } = await ground(open);
    const channel = `test:${Math.random()}` as ChannelName;
    await store.commit(channel, { ...COMMIT, changes: [set('a', 1, 0), set('b', 1, 0)] });
    const before = (await store.get(channel, 'a')).position;
    await link.client.del(link.key(channel, 'state'));
    const { position, entry } = await store.get(channel, 'a');
    expect([position.seq, entry]).toEqual([0, undefined]);
    expect(position.epoch).not.toBe(before.epoch);
    const { top, publications, continues } = await broker.history(channel, {});
    expect([top, publications, continues]).toEqual([position, [], []]);
    await close();
  });

  it('keeps state in Redis as long as its keys may live, and what never goes without an end', async () => {
    const { link, store, close } = await ground(open);
    const channel = `test:${Math.random()}` as ChannelName;
    const lives = () => Promise.all(['meta', 'state'].map((part) => link.client.pttl(link.key(channel, part))));
    await store.commit(channel, { ...COMMIT, changes: [set('a', 1, 0)] });
    for (const life of await lives()) expect(life).toBeGreaterThan(300_000);
    await store.commit(channel, { ...COMMIT, ttlMs: 0, changes: [set('b', 1, 0)] });
    expect(await lives()).toEqual([-1, -1]);
    await close();
  });
});

import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { ANSWER_LIFE_MS } from '../../../src/cluster/answer-store.js';
import { MemoryAnswerStore } from '../../../src/cluster/memory-answer-store.js';
import { RedisAnswerStore } from '../../../src/cluster/redis-answer-store.js';
import { RedisServer } from '../../support/redis-server.js';
import { describeAnswerStore } from './answer-store-contract.js';
import { onEveryRedis } from './redis-grounds.js';
import { RedisLinks } from './redis-links.js';

describeAnswerStore('MemoryAnswerStore', async () => new MemoryAnswerStore());

describe('MemoryAnswerStore', () => {
  afterEach(() => vi.useRealTimers());

  it('forgets a claim and its answer after five minutes', async () => {
    vi.useFakeTimers();
    const store = new MemoryAnswerStore();
    await store.claim('k', 'f');
    await store.keep('k', 'f', 1);
    vi.advanceTimersByTime(ANSWER_LIFE_MS);
    expect(await store.claim('k', 'f')).toEqual({ state: 'claimed' });
  });
});

onEveryRedis((open) => {
  describeAnswerStore('RedisAnswerStore', async () => new RedisAnswerStore(await open()));

  it('is one for all nodes, and has Redis forget each key within five minutes', async () => {
    const [one, other] = [await open(), await open()];
    await new RedisAnswerStore(one).claim('shared', 'f');
    expect(await new RedisAnswerStore(other).claim('shared', 'f')).toMatchObject({ state: 'pending' });
    const left = await one.client.pttl(one.key('shared', 'answer'));
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(ANSWER_LIFE_MS);
  });

  it.each(['{', 'null', '7', '{}', '{"fingerprint":7}', '{"fingerprint":"f","answer":null}'])(
    'takes for absent what is no answer: %s',
    async (garbage) => {
      const link = await open();
      const store = new RedisAnswerStore(link);
      await link.client.set(link.key('bad', 'answer'), garbage);
      expect(await Promise.all([store.claim('bad', 'f'), store.claim('bad', 'g')])).toEqual(
        expect.arrayContaining([{ state: 'claimed' }, expect.objectContaining({ state: 'pending' })]),
      );
    },
  );
});

describe('where Redis is gone', () => {
  const links = new RedisLinks();
  afterAll(() => links.close());

  it('is refused with SERVER_BUSY', async () => {
    await using gone = await RedisServer.start();
    const store = new RedisAnswerStore(await links.open(gone.url, { redisTimeoutMs: 500 }));
    await gone.kill();
    await expect(store.claim('k', 'f')).rejects.toMatchObject({ code: 'SERVER_BUSY' });
  });
});

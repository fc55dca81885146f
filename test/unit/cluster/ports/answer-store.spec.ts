import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { ANSWER_LIFE_MS } from '../../../../src/cluster/ports/answer-store.js';
import { MemoryAnswerStore } from '../../../../src/cluster/memory/memory-answer-store.js';
import { MemoryReplayStore } from '../../../../src/cluster/memory/memory-replay-store.js';
import { RedisAnswerStore } from '../../../../src/cluster/redis/lists/redis-answer-store.js';
import { RedisServer } from '../../../support/redis-server.js';
import { describeAnswerStore } from '../answer-store-contract.js';
import { onEveryRedis } from '../redis-grounds.js';
import { RedisLinks } from '../redis-links.js';

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

describeAnswerStore('MemoryReplayStore', async () => new MemoryReplayStore(60_000, 1_048_576));

describe('MemoryReplayStore', () => {
  afterEach(() => vi.useRealTimers());

  /** Claims until it is refused. */
  async function fill(store: MemoryReplayStore, owner: string): Promise<number> {
    for (let claimed = 0; ; claimed += 1) {
      const refusal = await store.claim(`${owner} ${claimed}`, 'f', owner).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refusal === undefined) continue;
      expect(refusal).toMatchObject({ code: 'SERVER_BUSY', retryAfter: 1_000 });
      return claimed;
    }
  }

  it('forgets nothing before its time, and refuses what it has no room for', async () => {
    vi.useFakeTimers();
    const store = new MemoryReplayStore(60_000, 4_096);
    const counts = [];
    for (const owner of ['a', 'b', 'c', 'd', 'e']) counts.push(await fill(store, owner));
    expect(counts).toEqual([2, 2, 2, 2, 1]);
    vi.advanceTimersByTime(59_999);
    expect(await store.claim('a 0', 'f', 'a')).toEqual({ state: 'pending', fingerprint: 'f' });
    vi.advanceTimersByTime(1);
    expect(await fill(store, 'a')).toBe(2);
  });

  it('gives one owner a quarter of the room, and gives back what is released', async () => {
    const store = new MemoryReplayStore(60_000, 4_096);
    expect(await fill(store, 'a')).toBe(2);
    await store.release('a 1');
    expect(await store.claim('another', 'f', 'a')).toEqual({ state: 'claimed' });
    await expect(store.claim('one more', 'f', 'a')).rejects.toMatchObject({ code: 'SERVER_BUSY' });
  });

  it('counts answers, and keeps none that there is no room for: the key stays taken', async () => {
    const store = new MemoryReplayStore(60_000, 40_000);
    await store.claim('k', 'f', 'a');
    await store.keep('k', 'f', 'x'.repeat(10_000));
    expect(await store.claim('k', 'f', 'a')).toEqual({ state: 'pending', fingerprint: 'f' });
    await store.keep('k', 'f', 'x'.repeat(9_000));
    expect(await store.claim('k', 'f', 'a')).toMatchObject({ state: 'answered' });
    await expect(fill(store, 'a')).resolves.toBe(1);
  });

  it('keeps an answer as it was, whatever becomes of the object', async () => {
    const store = new MemoryReplayStore(60_000, 40_000);
    await store.claim('k', 'f');
    const answer = { list: [1] };
    await store.keep('k', 'f', answer);
    answer.list.push(2);
    expect(await store.claim('k', 'f')).toMatchObject({ answer: { list: [1] } });
  });
});

onEveryRedis((open) => {
  describeAnswerStore(
    'RedisAnswerStore of ids',
    async () => new RedisAnswerStore(await open(), { part: 'replay', lifeMs: 120_000 }),
  );

  it('keeps ids apart from other answers, each for its own time', async () => {
    const link = await open();
    const ids = new RedisAnswerStore(link, { part: 'replay', lifeMs: 120_000 });
    await new RedisAnswerStore(link).claim('both', 'f');
    expect(await ids.claim('both', 'g')).toEqual({ state: 'claimed' });
    await ids.keep('both', 'g', 1);
    const left = await link.client.pttl(link.key('both', 'replay'));
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(120_000);
  });

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
    const store = new RedisAnswerStore(await links.open(gone.url));
    await gone.kill();
    await expect(store.claim('k', 'f')).rejects.toMatchObject({ code: 'SERVER_BUSY' });
  });
});

import { describe, expect, it } from 'vitest';
import { MemoryAnswerStore } from '../../../src/cluster/memory/memory-answer-store.js';
import { GatehouseError } from '../../../src/protocol/gatehouse-error.js';
import { Once } from '../../../src/server-api/messages/idempotency.js';

const REQUEST = { key: 'k', fingerprint: 'f' };

describe('Once', () => {
  it('tells whoever comes while the first is under way that it is, and does nothing', async () => {
    const once = new Once(new MemoryAnswerStore());
    let done = 0;
    const { promise, resolve } = withResolvers();
    const act = async (): Promise<number> => {
      done += 1;
      await promise;
      return done;
    };
    const first = once.answer(REQUEST, act);
    await expect(once.answer(REQUEST, act)).rejects.toMatchObject({ code: 'DUPLICATE_MESSAGE', retryAfter: 1_000 });
    resolve();
    expect(await first).toBe(1);
    expect(await once.answer(REQUEST, act)).toBe(1);
    expect(done).toBe(1);
  });

  it('does it anew where the first attempt failed', async () => {
    const once = new Once(new MemoryAnswerStore());
    const failing = once.answer(REQUEST, async () => Promise.reject(new GatehouseError('SERVER_BUSY')));
    await expect(failing).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    expect(await once.answer(REQUEST, async () => 'done')).toBe('done');
  });

  it('answers what was done, although that could not be kept, and does not do it twice', async () => {
    const store = new MemoryAnswerStore();
    store.keep = () => Promise.reject(new GatehouseError('SERVER_BUSY'));
    const once = new Once(store);
    expect(await once.answer(REQUEST, async () => 'done')).toBe('done');
    await expect(once.answer(REQUEST, async () => 'twice')).rejects.toMatchObject({ code: 'DUPLICATE_MESSAGE' });
  });

  it('does it each time where there is no key', async () => {
    const once = new Once(new MemoryAnswerStore());
    let done = 0;
    const act = async (): Promise<number> => (done += 1);
    expect([await once.answer(undefined, act), await once.answer(undefined, act)]).toEqual([1, 2]);
  });
});

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

import { describe, expect, it } from 'vitest';
import type { AnswerStore } from '../../../src/cluster/ports/answer-store.js';

let keys = 0;

/** What holds for every answer store. @param create another node's view of the same store, where it is shared */
export function describeAnswerStore(name: string, create: () => Promise<AnswerStore>): void {
  describe(name, () => {
    const fresh = (): string => `key-${(keys += 1)}`;

    it('gives a key to exactly one of those who claim it at one time', async () => {
      const store = await create();
      const key = fresh();
      const claims = await Promise.all(Array.from({ length: 20 }, () => store.claim(key, 'f')));
      expect(claims.filter(({ state }) => state === 'claimed')).toHaveLength(1);
      expect(claims.filter(({ state }) => state === 'pending')).toHaveLength(19);
    });

    it.each([[{ sessions: 2 }], [null], [''], [[1]]])(
      'brings back the answer %j, and what it was to',
      async (answer) => {
        const store = await create();
        const key = fresh();
        await store.claim(key, 'request');
        await store.keep(key, 'request', answer);
        expect(await store.claim(key, 'another')).toEqual({ state: 'answered', fingerprint: 'request', answer });
      },
    );

    it('gives a key again that was released', async () => {
      const store = await create();
      const key = fresh();
      await store.claim(key, 'f');
      await store.release(key);
      expect(await store.claim(key, 'f')).toEqual({ state: 'claimed' });
      expect(await store.claim(key, 'f')).toEqual({ state: 'pending', fingerprint: 'f' });
    });

    it('holds keys apart', async () => {
      const store = await create();
      await store.claim(fresh(), 'f');
      expect(await store.claim(fresh(), 'f')).toEqual({ state: 'claimed' });
    });
  });
}

import { beforeEach, describe, expect, it } from 'vitest';
import type { SharedCounts } from '../../../src/cluster/ports/shared-counts.js';

/** How the suite gets counts. Two of one test share what they stand on, as two nodes of a cluster do. */
export interface CountsFactory {
  readonly create: (nodeId: string) => Promise<SharedCounts>;
  /** Whether several are nodes of one cluster; false: each is alone. */
  readonly isShared: boolean;
}

/** What all shared counts promise. */
export function describeSharedCounts(name: string, { create, isShared }: CountsFactory): void {
  describe(name, () => {
    let counts: SharedCounts;
    let key: string;
    const a = `a-${Math.random()}`;
    const b = `b-${Math.random()}`;
    const many = (of: SharedCounts, count: number, limit: number) =>
      Promise.all(Array.from({ length: count }, () => of.take('user', key, limit)));
    const granted = (answers: readonly boolean[]) => answers.filter(Boolean).length;
    const share = async (of: SharedCounts, nodeId: string) => (await of.byNode('user', key)).get(nodeId);

    beforeEach(async () => {
      counts = await create(a);
      key = `user-${Math.random()}`;
    });

    it('gives as many places as the limit leaves, however many ask at one time', async () => {
      expect(granted(await many(counts, 20, 7))).toBe(7);
      expect(await counts.take('user', key, 7)).toBe(false);
      expect(await counts.take('user', key, 8)).toBe(true);
      expect(await counts.byNode('user', key)).toEqual(new Map([[a, 8]]));
    });

    it('gives a place again that was given back', async () => {
      await many(counts, 2, 2);
      counts.release('user', key);
      expect(await counts.take('user', key, 2)).toBe(true);
      expect(await counts.take('user', key, 2)).toBe(false);
    });

    it('counts without a limit too', async () => {
      expect(granted(await many(counts, 5, 0))).toBe(5);
      expect(await share(counts, a)).toBe(5);
      expect(await counts.take('user', key, 5)).toBe(false);
    });

    it('keeps users and addresses apart', async () => {
      await many(counts, 1, 1);
      expect(await counts.take('address', key, 1)).toBe(true);
      expect(await counts.take('user', `${key}x`, 1)).toBe(true);
    });

    it('knows nothing of whom nobody counted, or who has given everything back', async () => {
      counts.release('user', key);
      expect(await counts.byNode('user', key)).toEqual(new Map());
      await many(counts, 3, 0);
      for (let n = 0; n < 5; n += 1) counts.release('user', key);
      expect(await counts.byNode('user', key)).toEqual(new Map());
      expect(granted(await many(counts, 3, 2))).toBe(2);
    });

    it('takes any key', async () => {
      for (const odd of ['', '__proto__', '{a}', 'a}b', 'a b\0', 'grün \u{1f44b}', '::ffff:1.2.3.4']) {
        key = `${odd}${key}`;
        expect(granted(await many(counts, 2, 1))).toBe(1);
        expect(await share(counts, a)).toBe(1);
      }
    });

    it.runIf(isShared)('gives no more on all nodes together than the limit leaves', async () => {
      const other = await create(b);
      const answers = await Promise.all([many(counts, 20, 7), many(other, 20, 7)]);
      expect(granted(answers.flat())).toBe(7);
      const byNode = await counts.byNode('user', key);
      expect(byNode).toEqual(await other.byNode('user', key));
      expect((byNode.get(a) ?? 0) + (byNode.get(b) ?? 0)).toBe(7);
    });

    it.runIf(isShared)('gives what another node has given back', async () => {
      const other = await create(b);
      await many(other, 3, 3);
      expect(await counts.take('user', key, 3)).toBe(false);
      other.release('user', key);
      await expect.poll(() => share(counts, b)).toBe(2);
      expect(await counts.take('user', key, 3)).toBe(true);
      expect(await other.take('user', key, 3)).toBe(false);
    });
  });
}

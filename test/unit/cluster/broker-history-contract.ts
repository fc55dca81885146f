import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ChannelName, PublishOptions } from '../../../src/cluster/ports/broker.js';
import { draft, KEPT, UNKEPT, type BrokerBench, type BrokerFactory } from './broker-bench.js';

const MANY = { size: 1_000, ageMs: 60_000 };

/** The part of the broker's promises that is about what it keeps. */
export function describeHistory(at: BrokerBench, factory: BrokerFactory): void {
  describe('the history', () => {
    it('of a channel in which nothing was published stands at 0, and leaves its epoch to what comes', async () => {
      await at.broker.subscribe(at.channel);
      const { top, publications } = await at.broker.history(at.channel, {});
      expect([top.seq, publications]).toEqual([0, []]);
      const { position } = await at.broker.publish(at.channel, draft('a'), KEPT);
      expect(position).toEqual({ epoch: top.epoch, seq: 1 });
    });

    it('brings what came after a seq, oldest first', async () => {
      await at.publishAll('a', 'b', 'c', 'd');
      expect(await at.seqs()).toEqual([1, 2, 3, 4]);
      expect(await at.seqs({ afterSeq: 0 })).toEqual([1, 2, 3, 4]);
      expect(await at.seqs({ afterSeq: 2 })).toEqual([3, 4]);
      expect(await at.seqs({ afterSeq: 4 })).toEqual([]);
      expect(await at.seqs({ afterSeq: 99 })).toEqual([]);
    });

    it('brings at most as many as asked, from either end', async () => {
      await at.publishAll('a', 'b', 'c', 'd');
      expect(await at.seqs({ limit: 2 })).toEqual([1, 2]);
      expect(await at.seqs({ limit: 2, afterSeq: 1 })).toEqual([2, 3]);
      expect(await at.seqs({ limit: 2, reverse: true })).toEqual([4, 3]);
      expect(await at.seqs({ reverse: true, afterSeq: 1 })).toEqual([4, 3, 2]);
      expect(await at.seqs({ limit: 0 })).toEqual([]);
      expect((await at.broker.history(at.channel, { limit: 0 })).top.seq).toBe(4);
    });

    it('brings what came before a seq, from either end', async () => {
      await at.publishAll('a', 'b', 'c', 'd', 'e');
      expect(await at.seqs({ beforeSeq: 3 })).toEqual([1, 2]);
      expect(await at.seqs({ beforeSeq: 4, reverse: true })).toEqual([3, 2, 1]);
      expect(await at.seqs({ beforeSeq: 5, afterSeq: 1, reverse: true })).toEqual([4, 3, 2]);
      expect(await at.seqs({ beforeSeq: 5, afterSeq: 1, limit: 2, reverse: true })).toEqual([4, 3]);
      expect(await at.seqs({ beforeSeq: 99, limit: 1, reverse: true })).toEqual([5]);
      for (const beforeSeq of [1, 3, 4]) expect(await at.seqs({ beforeSeq, afterSeq: 3, reverse: true })).toEqual([]);
      expect((await at.broker.history(at.channel, { beforeSeq: 2 })).top.seq).toBe(5);
    });

    it('is read backwards in slices that fit, as it is in one go', async () => {
      const sizes = [1_000, 10, 5_000, 10, 10, 20_000, 10, 3_000];
      for (const size of sizes.flatMap((bytes) => [bytes, 300]))
        await at.broker.publish(at.channel, draft('x'.repeat(size)), { ...KEPT, history: MANY });
      const slices: number[][] = [];
      let beforeSeq: number | undefined;
      for (;;) {
        const slice = await at.seqs({ beforeSeq, maxBytes: 6_000, reverse: true });
        if (slice.length === 0) break;
        slices.push(slice);
        beforeSeq = slice.at(-1);
      }
      expect(slices.length).toBeGreaterThan(3);
      expect(slices.flat()).toEqual(await at.seqs({ reverse: true }));
    });

    it('brings no more than fits, from either end, and one in any case', async () => {
      const text = 'x'.repeat(1_000);
      for (let n = 0; n < 250; n += 1) await at.broker.publish(at.channel, draft(text), { ...KEPT, history: MANY });
      const ample = await at.seqs({ maxBytes: 10_000_000 });
      expect([ample.length, ample[0], ample.at(-1)]).toEqual([250, 1, 250]);
      const oldest = await at.seqs({ maxBytes: 150_000, afterSeq: 10 });
      expect(oldest[0]).toBe(11);
      expect(oldest.length).toBeGreaterThan(100);
      expect(oldest.length).toBeLessThan(151);
      const newest = await at.seqs({ maxBytes: 150_000, reverse: true });
      expect([newest[0], newest.at(-1)]).toEqual([250, 251 - newest.length]);
      expect(newest.length).toBe(oldest.length);
      expect(await at.seqs({ maxBytes: 10 })).toEqual([1]);
      expect(await at.seqs({ maxBytes: 3_500, limit: 2 })).toEqual([1, 2]);
    });

    it('keeps the newest as far as its size goes', async () => {
      const options = { ...KEPT, history: { size: 3, ageMs: 60_000 } };
      for (let n = 1; n <= 20; n += 1) {
        await at.broker.publish(at.channel, draft(n), options);
        expect((await at.seqs()).at(-1)).toBe(n);
      }
      expect(await at.seqs()).toEqual([18, 19, 20]);
      expect(await at.seqs({ afterSeq: 5 })).toEqual([18, 19, 20]);
    });

    it('keeps one', async () => {
      for (const n of [1, 2, 3])
        await at.broker.publish(at.channel, draft(n), { ...KEPT, history: { size: 1, ageMs: 60_000 } });
      expect(await at.seqs()).toEqual([3]);
    });

    it('keeps nothing beyond its age, but where the channel stands', async () => {
      const options = { ...KEPT, history: { size: 10, ageMs: 150 } };
      await at.broker.publish(at.channel, draft('old'), options);
      await at.broker.publish(at.channel, draft('old'), options);
      await pause(200);
      expect((await at.broker.history(at.channel, {})).top.seq).toBe(2);
      expect(await at.seqs()).toEqual([]);
      await at.broker.publish(at.channel, draft('new'), { ...KEPT, history: { size: 10, ageMs: 60_000 } });
      expect((await at.seqs()).at(-1)).toBe(3);
    });
  });

  describe('an idempotency key', () => {
    const once = (key: string): PublishOptions => ({ ...KEPT, idempotencyKey: key });

    it('has a publication made once, and answered alike', async () => {
      await at.broker.subscribe(at.channel);
      const first = await at.broker.publish(at.channel, draft('a'), once('k'));
      const second = await at.broker.publish(at.channel, draft('b'), once('k'));
      expect(first.isRepeat).toBe(false);
      expect(second).toEqual({ ...first, isRepeat: true });
      await at.publishAll('last');
      expect((await at.arrivals(2)).map(({ publication }) => publication.data)).toEqual(['a', 'last']);
    });

    it('holds also where two publish at one time', async () => {
      const [first, second] = await Promise.all([
        at.broker.publish(at.channel, draft('a'), once('k')),
        at.broker.publish(at.channel, draft('a'), once('k')),
      ]);
      expect([first, second].filter(({ isRepeat }) => isRepeat)).toHaveLength(1);
      expect(await at.seqs()).toEqual([1]);
    });

    it('holds in a channel without history', async () => {
      const options = { ...UNKEPT, idempotencyKey: 'k' };
      await at.broker.publish(at.channel, draft('a'), options);
      expect(await at.broker.publish(at.channel, draft('a'), options)).toEqual({ position: undefined, isRepeat: true });
    });

    it('is of its channel alone, whatever stands in both', async () => {
      const [name, longer] = [`${at.channel}:a`, `${at.channel}:a b`] as [ChannelName, ChannelName];
      expect((await at.broker.publish(name, draft(1), once('b c'))).isRepeat).toBe(false);
      expect((await at.broker.publish(longer, draft(2), once('c'))).isRepeat).toBe(false);
      expect((await at.broker.publish(name, draft(3), once('c'))).isRepeat).toBe(false);
    });

    it.runIf(factory.isShared)('holds on every node', async () => {
      const other = await at.another();
      const first = await at.broker.publish(at.channel, draft('a'), once('k'));
      expect(await other.broker.publish(at.channel, draft('a'), once('k'))).toEqual({ ...first, isRepeat: true });
    });
  });
}

import { describe, expect, it } from 'vitest';
import type { OutboxMark, PublishOptions } from '../../../src/cluster/ports/broker.js';
import { draft, KEPT, UNKEPT, type BrokerBench } from './broker-bench.js';

/** What every broker promises about publications from the outbox of an edge node. */
export function describeMarks(at: BrokerBench): void {
  const send = (data: unknown, mark: Partial<OutboxMark>, options: PublishOptions = KEPT) =>
    at.broker.publish(at.channel, draft(data), {
      ...options,
      mark: { edge: 'line-1', run: 'a', seq: 1, after: 0, ...mark },
    });
  const kept = async () => (await at.broker.history(at.channel, {})).publications.map(({ data }) => data);

  describe('publications from an outbox', () => {
    it('are published once, however often they come', async () => {
      const published = [await send('one', { seq: 1 }), await send('five', { seq: 5 }), await send('one', { seq: 1 })];
      const again = await Promise.all([send('five', { seq: 5 }), send('six', { seq: 6, after: 5 })]);
      expect([...published, ...again].map(({ isRepeat }) => isRepeat)).toEqual([false, false, true, true, false]);
      expect(await kept()).toEqual(['one', 'five', 'six']);
    });

    it('of one turn follow each other, and move the mark to the last of them', async () => {
      const chain = (from: number, to: number) =>
        Promise.all(
          Array.from({ length: to - from + 1 }, (_, index) =>
            send(from + index, { seq: from + index, after: index === 0 ? 0 : from + index - 1 }),
          ),
        );
      await chain(1, 50);
      const again = await chain(31, 60);
      expect(again.filter(({ isRepeat }) => isRepeat)).toHaveLength(20);
      expect(await kept()).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    });

    it('do not overtake one that was not published', async () => {
      await send('one', { seq: 1 });
      const sent = [
        send('three', { seq: 3, after: 2 }),
        send('two', { seq: 2, after: 1 }),
        send('4', { seq: 4, after: 3 }),
      ];
      const outcomes = await Promise.allSettled(sent);
      expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : 'published'))).toMatchObject([
        { code: 'SERVER_BUSY' },
        'published',
        { code: 'SERVER_BUSY' },
      ]);
      expect(await kept()).toEqual(['one', 'two']);
    });

    it('are new if an edge restored from an old image counts from an old seq, in a run of its own', async () => {
      await send('a 7', { seq: 7 });
      await send('b 3', { run: 'b', seq: 3 });
      const isRepeat = async (run: string, seq: number) => (await send('again', { run, seq })).isRepeat;
      expect([await isRepeat('a', 7), await isRepeat('b', 3), await isRepeat('b', 2)]).toEqual([true, true, true]);
      expect(await kept()).toEqual(['a 7', 'b 3']);
    });

    it('of one edge do not hold back those of another, or of nobody', async () => {
      await send('first', { seq: 9 });
      await send('second', { edge: 'line-2', seq: 1 });
      await at.publishAll('third');
      expect(await kept()).toEqual(['first', 'second', 'third']);
    });

    it('keep to their idempotency key, too', async () => {
      const once = { ...KEPT, idempotencyKey: 'k' };
      await send('one', { seq: 1 }, once);
      expect(await send('one again', { seq: 2 }, once)).toMatchObject({ isRepeat: true });
      expect(await send('three', { seq: 3, after: 2 })).toMatchObject({ isRepeat: false });
      expect(await kept()).toEqual(['one', 'three']);
    });

    it('are published once and in order in a channel without history, too', async () => {
      await at.broker.subscribe(at.channel);
      await send('one', { seq: 1 }, UNKEPT);
      expect(await send('one', { seq: 1 }, UNKEPT)).toEqual({ position: undefined, isRepeat: true });
      await expect(send('three', { seq: 3, after: 2 }, UNKEPT)).rejects.toMatchObject({ code: 'SERVER_BUSY' });
      await send('two', { seq: 2, after: 1 }, UNKEPT);
      expect((await at.arrivals(2)).map(({ publication }) => publication.data)).toEqual(['one', 'two']);
    });
  });
}

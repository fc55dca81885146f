import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChannelName } from '../../../src/cluster/ports/broker.js';
import { BrokerBench, draft, KEPT, UNKEPT, type BrokerFactory } from './broker-bench.js';
import { describeHistory } from './broker-history-contract.js';
import { describeMarks } from './broker-marks-contract.js';

/** What every broker promises. */
export function describeBroker(title: string, factory: BrokerFactory): void {
  describe(title, () => {
    const at = new BrokerBench(factory);
    beforeEach(() => at.setUp());
    afterEach(() => at.tearDown());
    describeHistory(at, factory);
    describeMarks(at);

    describe('a position', () => {
      it('counts 1, 2, 3 … within an epoch', async () => {
        const positions = [];
        for (const data of ['a', 'b', 'c'])
          positions.push((await at.broker.publish(at.channel, draft(data), KEPT)).position);
        const epoch = positions[0]?.epoch;
        expect(epoch).toMatch(/^.{1,64}$/);
        expect(positions).toEqual([1, 2, 3].map((seq) => ({ epoch, seq })));
      });

      it('is of its channel alone', async () => {
        await at.publishAll('a', 'b');
        const other = await at.broker.publish(`${at.channel}x` as ChannelName, draft('c'), KEPT);
        expect(other.position?.seq).toBe(1);
      });

      it('is given once, however many publish at one time', async () => {
        const published = await Promise.all(
          Array.from({ length: 200 }, (_, n) => at.broker.publish(at.channel, draft(n), KEPT)),
        );
        expect(published.map(({ position }) => position?.seq)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
      });

      it('is none in a channel without history', async () => {
        expect(await at.broker.publish(at.channel, draft('a'), UNKEPT)).toEqual({
          position: undefined,
          isRepeat: false,
        });
        expect((await at.broker.history(at.channel, {})).publications).toEqual([]);
      });
    });

    describe('a subscriber', () => {
      it('gets every later publication, in order, with its position', async () => {
        await at.publishAll('before');
        await at.broker.subscribe(at.channel);
        await at.publishAll('a', 'b', 'c');
        const { top } = await at.broker.history(at.channel, { limit: 0 });
        expect((await at.arrivals(3)).map((arrival) => [arrival.channel, arrival.publication.data])).toEqual([
          [at.channel, 'a'],
          [at.channel, 'b'],
          [at.channel, 'c'],
        ]);
        expect(at.arrived.map(({ publication, epoch }) => [publication.seq, epoch])).toEqual(
          [2, 3, 4].map((seq) => [seq, top.epoch]),
        );
      });

      it('gets those of a channel without history too, with seq 0', async () => {
        await at.broker.subscribe(at.channel);
        await at.broker.publish(at.channel, draft('a'), UNKEPT);
        const [arrival] = await at.arrivals(1);
        expect(arrival).toMatchObject({ channel: at.channel, publication: { data: 'a', seq: 0 } });
      });

      it('gets each once, though it has subscribed twice, and none of other channels', async () => {
        await at.broker.subscribe(at.channel);
        await at.broker.subscribe(at.channel);
        await at.broker.publish(`${at.channel}x` as ChannelName, draft('elsewhere'), KEPT);
        await at.publishAll('a', 'last');
        expect((await at.arrivals(2)).map(({ publication }) => publication.data)).toEqual(['a', 'last']);
      });

      it('gets nothing any more soon after it has left, and again when it is back', async () => {
        await at.broker.subscribe(at.channel);
        await at.publishAll('a');
        await at.arrivals(1);
        at.broker.unsubscribe(at.channel);
        // Answered behind the unsubscribe on the same connection. So many have one on each server of a Redis Cluster.
        const others = Array.from({ length: 32 }, (_, n) => `${at.channel}-${n}` as ChannelName);
        await Promise.all(others.map((channel) => at.broker.subscribe(channel)));
        await at.publishAll('b');
        await at.broker.subscribe(at.channel);
        await at.publishAll('c');
        expect((await at.arrivals(2)).map(({ publication }) => publication.data)).toEqual(['a', 'c']);
      });

      it('may leave where it never was', () => {
        expect(() => at.broker.unsubscribe(at.channel)).not.toThrow();
      });

      it.runIf(factory.isShared)('gets what other nodes publish, under the same epoch', async () => {
        const other = await at.another();
        await at.broker.subscribe(at.channel);
        const { position } = await other.broker.publish(at.channel, draft('from afar'), KEPT);
        const [arrival] = await at.arrivals(1);
        expect(arrival).toMatchObject({ epoch: position?.epoch, publication: { seq: 1, data: 'from afar' } });
        expect(other.arrived).toEqual([]);
      });
    });

    describe('a publication', () => {
      const DATA: [string, unknown][] = [
        ['text', 'grüße \u{1f44b} \0'],
        ['a text with a byte order mark', `\u{feff}${'a'.repeat(100)}`],
        ['a number', -1.5],
        ['true', true],
        ['null', null],
        ['nothing', undefined],
        ['bytes', new Uint8Array([0, 127, 128, 255])],
        ['no bytes', new Uint8Array()],
        ['a large integer', 2n ** 63n],
        ['a small integer', -(2n ** 63n)],
        ['keys that are methods elsewhere', { constructor: 1, toJSON: 1 }],
        ['Hangul', '한국어'],
        ['a key that is __proto__', JSON.parse('{ "__proto__": { "a": 1 }, "b": 2 }')],
        ['nested', { list: [1, 'two', null, { three: [new Uint8Array([3])] }], '': { a: 2n ** 60n } }],
      ];
      it.each(DATA)('carries %s, live and in the history', async (_name, data) => {
        await at.broker.subscribe(at.channel);
        await at.publishAll(data);
        const [arrival] = await at.arrivals(1);
        expect(plain(arrival?.publication.data)).toEqual(plain(data));
        const { publications } = await at.broker.history(at.channel, {});
        expect(plain(publications[0]?.data)).toEqual(plain(data));
      });

      it('carries who published, who is left out, until when, how it is encrypted, its trace, and its time', async () => {
        await at.broker.subscribe(at.channel);
        const others = {
          from: { userId: 'alice', sessionId: 's1' },
          excludeSession: 's1',
          expiresAt: Date.now() + 60_000,
          enc: 'fernet',
          trace: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
        };
        const before = Date.now();
        await at.broker.publish(at.channel, draft('a', others), KEPT);
        const { publications } = await at.broker.history(at.channel, {});
        const [arrival] = await at.arrivals(1);
        expect(publications[0]).toMatchObject(others);
        expect(arrival?.publication).toMatchObject(others);
        expect(arrival?.publication.ts).toBe(publications[0]?.ts);
        expect(Math.abs((publications[0]?.ts ?? 0) - before)).toBeLessThan(2_000);
      });
    });

    it('says nothing and does nothing once it is closed', async () => {
      await at.broker.subscribe(at.channel);
      await at.broker.close();
      const busy = expect.objectContaining({ code: 'SERVER_BUSY' }) as Error;
      await expect(at.broker.publish(at.channel, draft('a'), KEPT)).rejects.toEqual(busy);
      await expect(at.broker.history(at.channel, {})).rejects.toEqual(busy);
      await expect(at.broker.subscribe(at.channel)).rejects.toEqual(busy);
      at.broker.unsubscribe(at.channel);
      await at.broker.close();
      expect(at.arrived).toEqual([]);
    });
  });
}

/** Bytes of any class compare as bytes. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
}

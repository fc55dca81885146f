import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { HistoryReader, SLICE_BYTES } from '../../../../src/channels/recovery/history-reader.js';
import { ReadTurns } from '../../../../src/cluster/ports/read-turns.js';
import { MemoryBroker } from '../../../../src/cluster/memory/memory-broker.js';
import type { ChannelName, History, HistoryQuery } from '../../../../src/cluster/ports/broker.js';
import { gate } from '../../../support/gate.js';
import { draft, KEPT } from '../../cluster/broker-bench.js';

const LONG = 'log:long' as ChannelName;
const SHORT = 'log:short' as ChannelName;
const COUNT = 200;

const seqsOf = ({ publications }: History): number[] => publications.map(({ seq }) => seq);

/** A history of some ten slices beside a short one; `asked` holds what was asked of the broker. */
async function histories(before: (call: number) => void | Promise<void> = () => {}) {
  const broker = new MemoryBroker();
  const keep = { ...KEPT, history: { size: COUNT, ageMs: 3_600_000 } };
  const publish = (name: ChannelName) => broker.publish(name, draft('x'.repeat(4_000)), keep);
  for (let n = 0; n < COUNT; n += 1) await publish(LONG);
  await publish(SHORT);
  const asked: HistoryQuery[] = [];
  let epoch = '';
  const reader = new HistoryReader({
    async history(name, query) {
      asked.push(query);
      await before(asked.length);
      const history = await broker.history(name, query);
      return { ...history, top: { ...history.top, epoch: history.top.epoch + epoch } };
    },
  });
  return {
    broker,
    reader,
    asked,
    publish,
    /** The channel goes on in another epoch. */
    beginEpoch: () => (epoch += '+'),
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

describe('a long history', () => {
  it.each<[string, HistoryQuery]>([
    ['all of it', {}],
    ['newest first', { reverse: true }],
    ['after a seq', { afterSeq: 77 }],
    ['between two seqs, newest first', { afterSeq: 20, beforeSeq: 150, reverse: true }],
    ['before a seq', { beforeSeq: 150 }],
    ['a number of them', { limit: 100 }],
    ['a number of them, newest first', { limit: 100, reverse: true }],
    ['what fits', { maxBytes: 300_000 }],
    ['what fits, newest first', { maxBytes: 300_000, reverse: true, afterSeq: 10 }],
  ])('is read in slices, and brings what one read would: %s', async (_what, query) => {
    await using at = await histories();
    const whole = await at.broker.history(LONG, query);
    expect(await at.reader.history(LONG, query)).toEqual(whole);
    expect(at.asked.length).toBeGreaterThan(3);
    for (const { maxBytes } of at.asked) expect(maxBytes).toBeLessThanOrEqual(SLICE_BYTES);
  });

  it('costs one read where it fits in a slice, and where only its position is asked for', async () => {
    await using at = await histories();
    expect(seqsOf(await at.reader.history(LONG, { limit: 5 }))).toEqual([1, 2, 3, 4, 5]);
    expect(seqsOf(await at.reader.history(LONG, { afterSeq: COUNT - 2, reverse: true }))).toEqual([COUNT, COUNT - 1]);
    expect((await at.reader.history(LONG, { limit: 0 })).top.seq).toBe(COUNT);
    expect((await at.reader.history(LONG, { afterSeq: COUNT })).publications).toEqual([]);
    expect(at.asked).toHaveLength(4);
  });

  it('lets others read and publish between its slices', async () => {
    await using at = await histories();
    const order: string[] = [];
    const done = at.reader.history(LONG, {}).then(() => order.push('long'));
    await nextTurn();
    await at.reader.history(SHORT, {}).then(() => order.push('short'));
    await at.publish(SHORT).then(() => order.push('publication'));
    await done;
    expect(order).toEqual(['short', 'publication', 'long']);
  });

  it('is brought as it stood when the reading began: what is published meanwhile is left to the next read', async () => {
    for (const reverse of [false, true]) {
      await using at = await histories(async (call) => {
        if (call === 2) for (let n = 0; n < 3; n += 1) await at.publish(LONG);
      });
      const { top, publications } = await at.reader.history(LONG, { reverse });
      expect(top.seq).toBe(COUNT);
      expect(Math.max(...publications.map(({ seq }) => seq))).toBe(COUNT);
      expect((await at.reader.history(LONG, { limit: 0 })).top.seq).toBe(COUNT + 3);
    }
  });

  it('is read from the start where another epoch begins meanwhile', async () => {
    await using at = await histories((call) => {
      if (call === 4) at.beginEpoch();
    });
    const { top, publications } = await at.reader.history(LONG, { reverse: true });
    expect(top.epoch.endsWith('+')).toBe(true);
    expect(seqsOf({ top, publications })).toEqual(Array.from({ length: COUNT }, (_, n) => COUNT - n));
  });

  it('is SERVER_BUSY where one epoch follows the other', async () => {
    await using at = await histories(() => void at.beginEpoch());
    await expect(at.reader.history(LONG, {})).rejects.toMatchObject({ code: 'SERVER_BUSY' });
  });

  it('has a hole where publications became too old meanwhile, and nothing twice', async () => {
    await using at = await histories(async (call) => {
      if (call === 2) for (let n = 0; n < 40; n += 1) await at.publish(LONG);
    });
    const seqs = seqsOf(await at.reader.history(LONG, {}));
    expect(seqs).toEqual([...new Set(seqs)].toSorted((one, other) => one - other));
    expect([seqs[0], seqs.at(-1)]).toEqual([1, COUNT]);
    expect(seqs.length).toBeLessThan(COUNT);
  });
});

describe('reads that wait for their turn', () => {
  it('go on in the order in which they were asked for, whoever asked', async () => {
    const turns = new ReadTurns(1);
    const order: string[] = [];
    const reader = async (name: string, slices: number): Promise<void> => {
      for (let n = 1; n <= slices; n += 1) await turns.take(async () => void order.push(`${name}${n}`));
    };
    await Promise.all([reader('a', 3), reader('b', 2), reader('c', 1)]);
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  it('run only so many at one time, and a failed one gives its place back', async () => {
    const turns = new ReadTurns(2);
    const door = gate();
    let running = 0;
    let most = 0;
    const read = async (isBad: boolean): Promise<void> => {
      most = Math.max(most, (running += 1));
      await door.opened;
      running -= 1;
      if (isBad) throw new Error('away');
    };
    const reads = [true, true, false, false, false].map((isBad) => turns.take(() => read(isBad)));
    await nextTurn();
    expect(running).toBe(2);
    door.open();
    expect((await Promise.allSettled(reads)).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    expect(most).toBe(2);
  });
});

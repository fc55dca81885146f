import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChannelName, Publication } from '../../../src/cluster/ports/broker.js';
import { cellChannelOf, type StateChange, type StateOutcome } from '../../../src/cluster/ports/state-store.js';
import { draft } from './broker-bench.js';
import type { StateFactory, StateGround } from './state-store-contract.js';

const GRID = 'a grid';

/** What every store of state promises of channels that are divided into cells. */
export function describeStateCells(title: string, factory: StateFactory): void {
  describe(title, () => {
    let channel: ChannelName;
    let at: StateGround;
    let heard: (readonly [cell: string, publication: Publication, epoch: string])[];
    beforeEach(async () => {
      // A brace and a space in the name must not lead to other keys.
      channel = `test:{a}} ${Math.random()}` as ChannelName;
      at = await factory.create();
      heard = [];
      at.broker.listen({
        published: (name, publication, epoch) => void heard.push([name, publication, epoch]),
        interrupted: () => {},
      });
    });
    afterEach(() => at.close());

    const commit = (changes: readonly StateChange[], cells: readonly string[]): Promise<StateOutcome> =>
      at.store.commit(channel, {
        changes,
        epoch: undefined,
        draft: draft('all of it'),
        history: { size: 100, ageMs: 60_000 },
        replicas: 0,
        maxKeys: 1_000,
        ttlMs: 60_000,
        cells: { grid: GRID, drafts: cells.map((cell) => ({ cell, draft: draft(`in ${cell}`) })) },
      });
    const epochOf = async (): Promise<string> => (await at.broker.history(channel, { limit: 0 })).top.epoch;
    const read = async (cell: string): Promise<{ seq: number; values: Record<string, unknown> }> => {
      const values: Record<string, unknown> = {};
      for (let from: string | undefined, seq = 0; ;) {
        const page = await at.store.cellPage({ channel, grid: GRID, cell }, from);
        if (from === undefined) ({ seq } = page.position);
        for (const { key, value } of page.entries) values[key] = value;
        if (page.next === undefined) return { seq, values };
        from = page.next;
      }
    };

    it('reads the keys of one cell, and a cell whose name begins alike is another one', async () => {
      await commit([put('a', 1, '1:2'), put('b', 2, '1:22'), put('c', 3, '-1:2')], ['1:2', '1:22', '-1:2']);
      expect(await read('1:2')).toEqual({ seq: 1, values: { a: 1 } });
      expect(await read('1:22')).toEqual({ seq: 1, values: { b: 2 } });
      expect(await read('9:9')).toEqual({ seq: 0, values: {} });
    });

    it('reads a cell of many keys in parts', async () => {
      const keys = Array.from({ length: 200 }, (_, n) => `key ${n} grüße`);
      await commit(
        keys.map((key) => put(key, key, '1:2')),
        ['1:2'],
      );
      expect((await read('1:2')).values).toEqual(Object.fromEntries(keys.map((key) => [key, key])));
    });

    it('tells only those who look at a cell, and in which publication of the cell it comes behind', async () => {
      await at.broker.subscribe(channel);
      await at.broker.subscribe(cellChannelOf(channel, '1:2'));
      await commit([put('a', 1, '1:2')], ['1:2']);
      await commit([put('b', 1, '5:5')], ['5:5']);
      await commit([{ ...put('a', 2, '1:2'), formerCell: '1:2', expected: 1 }], ['1:2']);
      await expect.poll(() => heard.length).toBe(2);
      const epoch = await epochOf();
      expect(heard.map(([name, { seq, after, data }, of]) => [name, seq, after, data, of])).toEqual([
        [cellChannelOf(channel, '1:2'), 1, 0, 'in 1:2', epoch],
        [cellChannelOf(channel, '1:2'), 3, 1, 'in 1:2', epoch],
      ]);
      const { publications } = await at.broker.history(channel, {});
      expect(publications.map(({ data }) => data)).toEqual(['all of it', 'all of it', 'all of it']);
    });

    it('moves a key from cell to cell; an empty cell is at 0 again', async () => {
      await at.broker.subscribe(cellChannelOf(channel, '1:2'));
      await commit([put('a', 1, '1:2')], ['1:2']);
      await commit([{ ...put('a', 2, '3:4'), formerCell: '1:2', expected: 1 }], ['1:2', '3:4']);
      expect([await read('1:2'), await read('3:4')]).toEqual([
        { seq: 0, values: {} },
        { seq: 2, values: { a: 2 } },
      ]);
      await commit([put('b', 1, '1:2')], ['1:2']);
      await commit([{ key: 'b', what: 'remove', expected: 3, formerCell: '1:2' }], ['1:2']);
      expect((await read('1:2')).seq).toBe(0);
      await expect
        .poll(() => heard.map(([, { seq, after }]) => [seq, after]))
        .toEqual([
          [1, 0],
          [2, 1],
          [3, 0],
          [4, 3],
        ]);
    });
  });
}

function put(key: string, value: unknown, cell: string): StateChange {
  return { key, what: 'set', value, expected: 0, cell };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpiringTable } from '../../../../src/access/limits/expiring-table.js';

describe('a fading table', () => {
  it('knows what was set until its time, and not what was deleted', () => {
    const table = new ExpiringTable(16);
    table.set('a', 1, { now: 0, until: 100 });
    table.set('b', 2, { now: 0, until: 50 });
    expect([table.get('a', 99), table.get('a', 100), table.get('b', 49), table.get('c', 0)]).toEqual([
      1,
      undefined,
      2,
      undefined,
    ]);
    table.set('a', 3, { now: 0, until: 200 });
    table.delete('b');
    table.delete('c');
    expect([table.get('a', 199), table.get('b', 0)]).toEqual([3, undefined]);
  });

  it('is a map as long as there is room, whatever the keys', () => {
    const act = fc.record({ key: fc.string({ maxLength: 3 }), value: fc.integer(), isGone: fc.boolean() });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const table = new ExpiringTable(65_536);
        const map = new Map<string, number>();
        for (const { key, value, isGone } of acts) {
          if (isGone) {
            table.delete(key);
            map.delete(key);
          } else {
            table.set(key, value, { now: 0, until: 1 });
            map.set(key, value);
          }
        }
        for (const { key } of acts) expect(table.get(key, 0)).toBe(map.get(key));
      }),
      { numRuns: 30 },
    );
  });

  it('lets what fades soonest give way where it is full, and counts what had not faded', () => {
    const table = new ExpiringTable(4);
    for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) table.set(key, index, { now: 0, until: 100 - index });
    table.set('e', 4, { now: 0, until: 50 });
    expect([table.get('d', 0), table.get('e', 0), table.dropped]).toEqual([undefined, 4, 1]);
    table.set('f', 5, { now: 60, until: 70 });
    expect([table.get('e', 0), table.get('a', 60), table.dropped]).toEqual([undefined, 0, 1]);
  });
});

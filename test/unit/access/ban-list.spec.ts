import { describe, expect, it } from 'vitest';
import { BanList } from '../../../src/access/ban-list.js';
import type { Ban } from '../../../src/cluster/ban-store.js';

const PASSING_MS = 60_000;

function ban(key: string, until: number, kind: Ban['kind'] = 'address'): Ban {
  return { kind, key, until, reason: 'a test' };
}

describe('a ban', () => {
  it('lasts as long as it was made for, not a millisecond more', () => {
    const bans = new BanList(PASSING_MS);
    bans.put(ban('a', 61_000), 1_000);
    expect(bans.isBanned('address', 'a', 1_000)).toBe(true);
    expect(bans.isBanned('address', 'a', 60_999)).toBe(true);
    expect(bans.isBanned('address', 'a', 61_000)).toBe(false);
    expect(bans.isBanned('address', 'b', 1_000)).toBe(false);
  });

  it('is of an address or of a user, whatever their names', () => {
    const bans = new BanList(PASSING_MS);
    bans.put(ban('a', 100), 0);
    expect([bans.isBanned('address', 'a', 0), bans.isBanned('user', 'a', 0)]).toEqual([true, false]);
  });

  it('is replaced by another of the same address, a longer or a shorter one', () => {
    const bans = new BanList(PASSING_MS);
    bans.put(ban('a', 100), 0);
    bans.put(ban('a', PASSING_MS * 2), 0);
    expect(bans.isBanned('address', 'a', PASSING_MS)).toBe(true);
    bans.put(ban('a', 50), 0);
    expect(bans.active(0)).toHaveLength(1);
    expect(bans.isBanned('address', 'a', 60)).toBe(false);
  });

  it('is counted while it lasts', () => {
    const bans = new BanList(100);
    bans.put(ban('a', 100), 0);
    bans.put(ban('b', 110), 10);
    bans.put(ban('c', 5_000, 'user'), 10);
    expect([50, 99, 100, 109, 110, 5_000].map((now) => bans.active(now).length)).toEqual([3, 3, 2, 2, 1, 0]);
  });

  it('ends when it is lifted', () => {
    const bans = new BanList(PASSING_MS);
    bans.put(ban('a', 100), 0);
    bans.put(ban('b', PASSING_MS * 2), 0);
    expect([bans.lift('address', 'a'), bans.lift('address', 'b'), bans.lift('address', 'a')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(bans.active(0)).toEqual([]);
  });

  it('is one of a hundred thousand at most: the oldest gives way, but none that an operator made for longer', () => {
    const bans = new BanList(PASSING_MS);
    bans.put(ban('an operator’s', PASSING_MS + 1), 0);
    for (let n = 0; n < 100_010; n += 1) bans.put(ban(`address ${n}`, PASSING_MS), 0);
    expect(bans.active(0)).toHaveLength(100_001);
    expect(bans.isBanned('address', 'address 9', 0)).toBe(false);
    expect(bans.isBanned('address', 'address 10', 0)).toBe(true);
    expect(bans.isBanned('address', 'an operator’s', 0)).toBe(true);
  });
});

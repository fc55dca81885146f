import { describe, expect, it } from 'vitest';
import { BanList } from '../../../src/access/ban-list.js';

describe('a ban', () => {
  it('lasts as long as it was made for, not a millisecond more', () => {
    const bans = new BanList(60_000);
    bans.ban('a', 1_000);
    expect(bans.isBanned('a', 1_000)).toBe(true);
    expect(bans.isBanned('a', 60_999)).toBe(true);
    expect(bans.isBanned('a', 61_000)).toBe(false);
    expect(bans.isBanned('b', 1_000)).toBe(false);
  });

  it('begins anew with a new breach', () => {
    const bans = new BanList(100);
    bans.ban('a', 0);
    bans.ban('a', 90);
    expect(bans.isBanned('a', 150)).toBe(true);
    expect(bans.active(150)).toBe(1);
    expect(bans.isBanned('a', 190)).toBe(false);
  });

  it('is counted while it lasts, renewed ones too', () => {
    const bans = new BanList(100);
    bans.ban('a', 0);
    bans.ban('b', 10);
    bans.ban('a', 20);
    expect([50, 109, 110, 119, 120].map((now) => bans.active(now))).toEqual([2, 2, 1, 1, 0]);
  });

  it('does not exist where the duration is 0', () => {
    const bans = new BanList(0);
    bans.ban('a', 0);
    expect(bans.isBanned('a', 0)).toBe(false);
    expect(bans.active(0)).toBe(0);
  });

  it('is one of a hundred thousand at most: the oldest gives way', () => {
    const bans = new BanList(60_000);
    for (let n = 0; n < 100_010; n += 1) bans.ban(`address ${n}`, 0);
    expect(bans.active(0)).toBe(100_000);
    expect(bans.isBanned('address 9', 0)).toBe(false);
    expect(bans.isBanned('address 10', 0)).toBe(true);
  });
});

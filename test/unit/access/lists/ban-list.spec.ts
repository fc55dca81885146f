import { describe, expect, it } from 'vitest';
import { BanList } from '../../../../src/access/lists/ban-list.js';
import type { Ban } from '../../../../src/cluster/ports/ban-store.js';

const HOUR_MS = 3_600_000;

function ban(key: string, until: number, others: Partial<Ban> = {}): Ban {
  return { kind: 'address', key, until, reason: 'a test', by: 'operator', ...others };
}

function breach(key: string, until: number): Ban {
  return ban(key, until, { by: 'breach', offences: 1 });
}

function isBanned(bans: BanList, key: string, now: number, kind: Ban['kind'] = 'address'): boolean {
  return bans.inForce(kind, key, now) !== undefined;
}

describe.each(['operator', 'breach'] as const)('a ban by %s', (by) => {
  it('lasts as long as it was made for, not a millisecond more', () => {
    const bans = new BanList();
    bans.put(ban('a', 61_000, { by }), 1_000);
    expect([1_000, 60_999, 61_000].map((now) => isBanned(bans, 'a', now))).toEqual([true, true, false]);
    expect(isBanned(bans, 'b', 1_000)).toBe(false);
  });

  it('is of an address or of a user, whatever their names', () => {
    const bans = new BanList();
    bans.put(ban('a', 100, { by }), 0);
    expect([isBanned(bans, 'a', 0), isBanned(bans, 'a', 0, 'user')]).toEqual([true, false]);
  });

  it('is replaced by another of the same address, a longer or a shorter one', () => {
    const bans = new BanList();
    bans.put(ban('a', 100, { by }), 0);
    bans.put(ban('a', HOUR_MS, { by }), 0);
    expect(isBanned(bans, 'a', 60_000)).toBe(true);
    bans.put(ban('a', 50, { by }), 0);
    expect(bans.active(0)).toHaveLength(1);
    expect(isBanned(bans, 'a', 60)).toBe(false);
  });

  it('ends when it is lifted', () => {
    const bans = new BanList();
    bans.put(ban('a', 100, { by }), 0);
    expect([bans.lift('address', 'a'), bans.lift('address', 'a')]).toEqual([true, false]);
    expect(bans.active(0)).toEqual([]);
  });
});

describe('the list of bans', () => {
  it('counts them while they last', () => {
    const bans = new BanList();
    bans.put(breach('a', 100), 0);
    bans.put(ban('b', 110), 10);
    bans.put(ban('c', 5_000, { kind: 'user' }), 10);
    expect([50, 99, 100, 109, 110, 5_000].map((now) => bans.active(now).length)).toEqual([3, 3, 2, 2, 1, 0]);
  });

  it('lets no breach replace what an operator made, while that lasts', () => {
    const bans = new BanList();
    bans.put(ban('a', 100), 0);
    bans.put(breach('a', HOUR_MS), 0);
    expect(bans.inForce('address', 'a', 0)).toMatchObject({ by: 'operator', until: 100 });
    bans.put(breach('a', HOUR_MS), 100);
    expect(bans.inForce('address', 'a', 100)).toMatchObject({ by: 'breach' });
    bans.put(ban('a', 200), 100);
    expect(bans.inForce('address', 'a', 100)).toMatchObject({ by: 'operator', until: 200 });
  });

  it('holds a hundred thousand of breaches at most: older ones give way, however long they last, and none of an operator', () => {
    const bans = new BanList();
    bans.put(ban('an operator’s', 1), 0);
    for (let n = 0; n < 150_010; n += 1) bans.put(breach(`address ${n}`, n === 0 ? HOUR_MS : 1), 0);
    expect(bans.active(0)).toHaveLength(50_011);
    expect(bans.dropped).toBe(100_000);
    expect(
      ['address 0', 'address 99999', 'address 100000', 'an operator’s'].map((key) => isBanned(bans, key, 0)),
    ).toEqual([false, false, true, true]);
  });
});

describe('a ban by an ADMIN', () => {
  it('is not replaced by a SERVICE, but replaces its ban', () => {
    const bans = new BanList();
    bans.put(ban('a', 100, { kind: 'user', givenAs: 'SERVICE' }), 0);
    bans.put(ban('a', 50, { kind: 'user' }), 0);
    bans.put(ban('a', 1, { kind: 'user', givenAs: 'SERVICE' }), 0);
    expect(bans.get('user', 'a')).toEqual(ban('a', 50, { kind: 'user' }));
  });
});

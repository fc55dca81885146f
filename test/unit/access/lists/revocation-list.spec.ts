import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RevocationList } from '../../../../src/access/lists/revocation-list.js';
import { principalFromClaims } from '../../../../src/authentication/claims.js';
import type { Principal } from '../../../../src/authentication/principal.js';
import type { Revocation } from '../../../../src/cluster/ports/revocation-store.js';

const NOW = 1_795_363_200_000;
const HOUR_MS = 3_600_000;

const token = (key: string, until = NOW + HOUR_MS): Revocation => ({ kind: 'token', key, until, reason: '' });
const user = (key: string, issuedBefore = NOW, until = NOW + HOUR_MS): Revocation => ({
  kind: 'user',
  key,
  until,
  reason: '',
  issuedBefore,
});
const rights = (key: string, roles: string[], others: object = {}): Revocation => ({
  kind: 'rights',
  key,
  until: NOW + HOUR_MS,
  reason: '',
  issuedBefore: NOW,
  roles,
  ...others,
});

function principal(claims: Record<string, unknown> = {}): Principal {
  const made = principalFromClaims({ sub: 'alice', roles: ['ADMIN'], iat: NOW / 1000 - 10, ...claims });
  if (made === undefined) throw new Error('bad claims');
  return made;
}

beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe('a principal', () => {
  it('is itself while nothing says otherwise', () => {
    const list = new RevocationList(10);
    const alice = principal({ jti: 't1' });
    expect(list.judge(alice, NOW)).toBe(alice);
    list.put(token('t2'), NOW);
    list.put(user('bob'), NOW);
    list.put(rights('bob', []), NOW);
    expect(list.judge(alice, NOW)).toBe(alice);
  });

  it('is nobody with a revoked token, until the revocation’s time is over', () => {
    const list = new RevocationList(10);
    list.put(token('t1'), NOW);
    const alice = principal({ jti: 't1' });
    expect(list.judge(alice, NOW)).toBeUndefined();
    expect(list.judge(alice, NOW + HOUR_MS - 1)).toBeUndefined();
    expect(list.judge(alice, NOW + HOUR_MS)).toBe(alice);
    expect(list.size).toBe(0);
  });

  it('is nobody with a token of the user that was issued before, in the same second, or nobody knows when', () => {
    const list = new RevocationList(10);
    list.put(user('alice', NOW + 400), NOW);
    expect(list.judge(principal(), NOW)).toBeUndefined();
    expect(list.judge(principal({ iat: NOW / 1000 }), NOW)).toBeUndefined();
    expect(list.judge(principal({ iat: undefined }), NOW)).toBeUndefined();
    vi.setSystemTime(NOW + 1_000);
    expect(list.judge(principal({ iat: NOW / 1000 + 1 }), NOW)).toMatchObject({ userId: 'alice' });
  });
});

describe('changed rights', () => {
  it('take the place of what a token says, and its own come back when they are lifted', () => {
    const list = new RevocationList(10);
    const alice = principal({ channels: { 'room:*': ['publish'] } });
    list.put(rights('alice', ['MEMBER']), NOW);
    const changed = list.judge(alice, NOW) as Principal;
    expect(changed).toMatchObject({ roles: ['MEMBER'], capabilities: alice.capabilities, expiresAt: alice.expiresAt });
    list.put(rights('alice', [], { issuedBefore: NOW + 1, channels: { 'feed:*': ['history'] } }), NOW);
    const again = list.judge(changed, NOW) as Principal;
    expect([again.roles, again.capabilities]).toEqual([[], new Map([['feed:*', ['history']]])]);
    list.lift('rights', 'alice');
    expect(list.judge(again, NOW)).toBe(alice);
  });

  it('do not hold for a token that was issued later', () => {
    const list = new RevocationList(10);
    list.put(rights('alice', []), NOW - 1_000);
    const fresh = principal({ iat: NOW / 1000 });
    expect(list.judge(fresh, NOW)).toBe(fresh);
  });

  it('that cannot be read allow nothing', () => {
    const list = new RevocationList(10);
    list.put(rights('alice', ['ADMIN'], { channels: { 'room:1': ['own'] } }), NOW);
    expect(list.judge(principal(), NOW)).toMatchObject({ roles: [], capabilities: new Map() });
  });
});

describe('two for the same', () => {
  it('come to the stricter one, in whatever order they are heard', () => {
    const early = user('alice', NOW - HOUR_MS, NOW + 2 * HOUR_MS);
    const late = user('alice', NOW);
    for (const order of [
      [early, late],
      [late, early],
    ]) {
      const list = new RevocationList(10);
      for (const one of order) list.put(one, NOW);
      expect(list.get('user', 'alice')).toEqual({ ...late, until: early.until });
    }
  });

  it('of rights come to the later one', () => {
    const first = rights('alice', ['A']);
    const second = rights('alice', ['B'], { issuedBefore: NOW + 1 });
    const list = new RevocationList(10);
    list.put(second, NOW);
    list.put(first, NOW);
    expect(list.get('rights', 'alice')).toEqual(second);
  });
});

describe('a full list', () => {
  it('takes no new one, lets none go that is in force, and goes on with those it has', () => {
    const list = new RevocationList(2);
    list.put(token('t1'), NOW);
    list.put(token('t2', NOW + 10), NOW);
    expect(list.put(token('t3'), NOW)).toBe(false);
    expect(list.put(token('t1', NOW + 2 * HOUR_MS), NOW)).toBe(true);
    expect(list.put(token('t3'), NOW + 10)).toBe(true);
    expect(list.active(NOW + 10).map(({ key }) => key)).toEqual(['t1', 't3']);
  });
});

describe('an order by a SERVICE', () => {
  const service = <T extends Revocation>(order: T): T => ({ ...order, givenAs: 'SERVICE' });
  const admin = principal({ jti: 't1' });
  const colleague = principal({ jti: 't1', roles: ['MEMBER', 'SERVICE'] });

  it.each([
    ['the revocation of a token', token('t1')],
    ['the revocation of a user’s tokens', user('alice')],
  ])('holds for a token that stands no higher, not for one of an ADMIN: %s', (_what, order) => {
    const list = new RevocationList(10);
    list.put(service(order), NOW);
    expect([list.judge(admin, NOW), list.judge(colleague, NOW)]).toEqual([admin, undefined]);
  });

  it('changes no rights of an ADMIN, and grants none above its giver whatever another node says', () => {
    const list = new RevocationList(10);
    list.put(service(rights('alice', ['ADMIN'])), NOW);
    expect(list.judge(admin, NOW)).toBe(admin);
    expect(list.judge(colleague, NOW)).toMatchObject({ roles: [], capabilities: new Map() });
  });

  it.each([
    ['before', [user('alice', NOW - 5_000), service(user('alice'))]],
    ['after', [service(user('alice')), user('alice', NOW - 5_000)]],
  ])('gives way to one by an ADMIN that is heard %s it', (_when, orders) => {
    const list = new RevocationList(10);
    for (const order of orders) list.put(order, NOW);
    expect(list.get('user', 'alice')).toEqual(user('alice', NOW - 5_000));
  });

  it('holds for somebody whom an ADMIN has demoted, and goes on when somebody is promoted', () => {
    const list = new RevocationList(10);
    list.put(service(token('t1')), NOW);
    list.put(rights('alice', []), NOW);
    expect(list.judge(admin, NOW)).toBeUndefined();
    list.lift('rights', 'alice');
    list.put(rights('alice', ['ADMIN']), NOW);
    expect(list.judge(colleague, NOW)).toBeUndefined();
  });
});

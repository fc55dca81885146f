import { describe, expect, it } from 'vitest';

import { principalFromClaims } from '../../../src/authentication/claims.js';
import { anonymousPrincipal } from '../../../src/authentication/principal.js';
import { shareRoles } from '../../../src/authentication/shared-lists.js';

describe('a principal', () => {
  it('is made of the claims', () => {
    const claims = {
      sub: 'ada',
      roles: ['ADMIN'],
      exp: 1_900_000_000.5,
      iat: 1_700_000_000.25,
      jti: 't1',
      channels: { 'room:*': ['publish'] },
    };
    expect(principalFromClaims(claims)).toEqual({
      userId: 'ada',
      roles: ['ADMIN'],
      anonymous: false,
      expiresAt: 1_900_000_000_500,
      tokenId: 't1',
      issuedAt: 1_700_000_000_250,
      capabilities: new Map([['room:*', ['publish']]]),
    });
  });

  it('needs no claim but sub', () => {
    expect(principalFromClaims({ sub: 'ada' })).toEqual({
      userId: 'ada',
      roles: [],
      anonymous: false,
      expiresAt: undefined,
      tokenId: undefined,
      issuedAt: undefined,
      capabilities: undefined,
    });
  });

  it('is anonymous without roles, expiry or capabilities', () => {
    const principal = anonymousPrincipal('anonymous-1');
    expect(principal).toMatchObject({ userId: 'anonymous-1', roles: [], anonymous: true, expiresAt: undefined });
    expect(principal.capabilities).toBeUndefined();
  });

  it('cannot be changed', () => {
    for (const principal of [anonymousPrincipal('a'), principalFromClaims({ sub: 'ada', roles: ['ADMIN'] })]) {
      expect(Object.isFrozen(principal)).toBe(true);
      expect(Object.isFrozen(principal?.roles)).toBe(true);
    }
  });

  it('shares its lists with every principal that has the same', () => {
    const claims = { sub: 'ada', roles: ['A', 'B'], channels: { 'room:1': ['publish', 'subscribe', 'publish'] } };
    const one = principalFromClaims(structuredClone(claims));
    const other = principalFromClaims({ ...structuredClone(claims), sub: 'bob' });
    expect(one?.roles).toBe(other?.roles);
    expect(one?.capabilities?.get('room:1')).toEqual(['subscribe', 'publish']);
    expect(one?.capabilities?.get('room:1')).toBe(other?.capabilities?.get('room:1'));
    expect(principalFromClaims({ sub: 'x' })?.roles).toBe(anonymousPrincipal('y').roles);
  });

  it('never shares a list that only looks the same', () => {
    expect(shareRoles(['A,B'])).not.toEqual(shareRoles(['A', 'B']));
    expect(shareRoles(['A","B'])).not.toEqual(shareRoles(['A', 'B']));
  });

  it('still has its own roles when there are more lists than are shared', () => {
    for (let count = 0; count < 1100; count += 1) expect(shareRoles([`ROLE_${count}`])).toEqual([`ROLE_${count}`]);
    expect(Object.isFrozen(shareRoles(['ROLE_1099']))).toBe(true);
  });
});

describe('claims of a wrong shape make no principal:', () => {
  const wrong: Record<string, unknown> = {
    'no object': 'ada',
    'a list': [{ sub: 'ada' }],
    null: null,
    'no sub': {},
    'an empty sub': { sub: '' },
    'a numeric sub': { sub: 7 },
    'a sub of 257 characters': { sub: 'x'.repeat(257) },
    'roles as one string': { sub: 'ada', roles: 'ADMIN' },
    'roles null': { sub: 'ada', roles: null },
    'a role that is no string': { sub: 'ada', roles: ['ADMIN', 1] },
    'an empty role': { sub: 'ada', roles: [''] },
    'a role of 65 characters': { sub: 'ada', roles: ['R'.repeat(65)] },
    '65 roles': { sub: 'ada', roles: Array.from({ length: 65 }, (_, index) => `R${index}`) },
    'an exp no date can hold': { sub: 'ada', exp: 1e300 },
    'an iat in words': { sub: 'ada', iat: 'yesterday' },
    'an nbf in words': { sub: 'ada', nbf: 'tomorrow' },
    'a numeric jti': { sub: 'ada', jti: 1 },
    'channels as a list': { sub: 'ada', channels: ['room:1'] },
    'channels null': { sub: 'ada', channels: null },
    'a channel with one word for a list': { sub: 'ada', channels: { 'room:1': 'publish' } },
    'an unknown capability': { sub: 'ada', channels: { 'room:1': ['publish', 'own'] } },
    'a nameless channel': { sub: 'ada', channels: { '': ['publish'] } },
    'a channel pattern of 256 characters': { sub: 'ada', channels: { ['c'.repeat(256)]: ['publish'] } },
  };

  it.each(Object.entries(wrong))('%s', (_name, claims) => {
    expect(principalFromClaims(claims)).toBeUndefined();
  });

  it('and the largest allowed ones still do', () => {
    const roles = Array.from({ length: 64 }, (_, index) => `${index}`.padEnd(64, 'R'));
    expect(principalFromClaims({ sub: 'x'.repeat(256), roles })?.roles).toEqual(roles);
  });

  it('a channel called __proto__ is a channel', () => {
    const claims: unknown = JSON.parse('{"sub":"ada","channels":{"__proto__":["publish"]}}');
    expect(principalFromClaims(claims)?.capabilities?.get('__proto__')).toEqual(['publish']);
  });
});

describe('a token whose issuer’s clock is ahead', () => {
  const inFiveSeconds = () => Date.now() / 1000 + 5;

  it.each(['nbf', 'iat'])('has its %s forgiven as far as the tolerance goes', (claim) => {
    expect(principalFromClaims({ sub: 'ada', [claim]: inFiveSeconds() }, 5_000)).toMatchObject({ userId: 'ada' });
    expect(principalFromClaims({ sub: 'ada', [claim]: inFiveSeconds() }, 4_000)).toBeUndefined();
  });

  it('counts as issued when it is brought, so that a revocation in a moment reaches it', () => {
    const issuedAt = principalFromClaims({ sub: 'ada', iat: inFiveSeconds() }, 5_000)?.issuedAt ?? Infinity;
    expect(issuedAt).toBeLessThanOrEqual(Date.now());
  });
});

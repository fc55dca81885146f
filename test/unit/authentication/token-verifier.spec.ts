import { generateKeyPairSync } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TokenVerifier } from '../../../src/authentication/token-verifier.js';
import { EC, ED, forge, nowInSeconds, pem, RSA, SECRET, settings, sign, withSecret } from './tokens.js';
import { ANY_CHARACTER } from '../../support/any-character.js';

const INVALID = { ok: false, reason: 'invalid' };
const bySecret = new TokenVerifier(settings({ jwtSecret: SECRET }));

describe('accepts', () => {
  it('a token signed with the secret, by any HMAC', async () => {
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const verdict = await bySecret.verify(await withSecret({ roles: ['MEMBER'], jti: 't1' }, alg));
      expect(verdict).toMatchObject({ ok: true, principal: { userId: 'ada', roles: ['MEMBER'], tokenId: 't1' } });
    }
  });

  it('a token signed with the private half of an RSA key', async () => {
    const verifier = new TokenVerifier(settings({ jwtPublicKey: pem(RSA) }));
    for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']) {
      expect(await verifier.verify(await sign({ alg, key: RSA.privateKey }))).toMatchObject({ ok: true });
    }
  });

  it.each([
    ['ES256', 'prime256v1'],
    ['ES384', 'secp384r1'],
    ['ES512', 'secp521r1'],
  ])('a token signed with %s on %s', async (alg, namedCurve) => {
    const pair = generateKeyPairSync('ec', { namedCurve });
    const verifier = new TokenVerifier(settings({ jwtPublicKey: pem(pair) }));
    expect(await verifier.verify(await sign({ alg, key: pair.privateKey }))).toMatchObject({ ok: true });
  });

  it('a public key whose line breaks are written as \\n', async () => {
    const verifier = new TokenVerifier(settings({ jwtPublicKey: pem(EC).trim().replaceAll('\n', '\\n') }));
    expect(await verifier.verify(await sign({ alg: 'ES256', key: EC.privateKey }))).toMatchObject({ ok: true });
  });

  it('tokens of both sources when a secret and a public key are set', async () => {
    const verifier = new TokenVerifier(settings({ jwtSecret: SECRET, jwtPublicKey: pem(RSA) }));
    expect(await verifier.verify(await withSecret())).toMatchObject({ ok: true });
    expect(await verifier.verify(await sign({ alg: 'RS256', key: RSA.privateKey }))).toMatchObject({ ok: true });
  });

  it('a token without exp, which never expires', async () => {
    const verdict = await bySecret.verify(await withSecret({ exp: undefined }));
    expect(verdict).toMatchObject({ ok: true, principal: { expiresAt: undefined } });
  });
});

describe('the validity period', () => {
  it('ends with exp, to the second', async () => {
    expect(await bySecret.verify(await withSecret({ exp: nowInSeconds() }))).toEqual({ ok: false, reason: 'expired' });
    const exp = nowInSeconds() + 30;
    expect(await bySecret.verify(await withSecret({ exp }))).toMatchObject({ principal: { expiresAt: exp * 1000 } });
  });

  it('begins with nbf', async () => {
    expect(await bySecret.verify(await withSecret({ nbf: nowInSeconds() + 30 }))).toEqual(INVALID);
    expect(await bySecret.verify(await withSecret({ nbf: nowInSeconds() }))).toMatchObject({ ok: true });
  });

  it('begins a little before nbf where the clocks differ, and never ends later than exp', async () => {
    const tolerant = new TokenVerifier(settings({ jwtSecret: SECRET, clockToleranceMs: 5_000 }));
    expect(await tolerant.verify(await withSecret({ nbf: nowInSeconds() + 3 }))).toMatchObject({ ok: true });
    expect(await tolerant.verify(await withSecret({ nbf: nowInSeconds() + 30 }))).toEqual(INVALID);
    expect(await tolerant.verify(await withSecret({ exp: nowInSeconds() - 1 }))).toEqual({
      ok: false,
      reason: 'expired',
    });
  });

  it('of a token with a bad signature is nobody’s business: invalid, not expired', async () => {
    const token = await sign({ alg: 'HS256', key: Buffer.from('another secret of many characters') }, { exp: 1 });
    expect(await bySecret.verify(token)).toEqual(INVALID);
  });

  it('must be made of numbers', async () => {
    expect(await bySecret.verify(await withSecret({ exp: String(nowInSeconds() + 60) }))).toEqual(INVALID);
  });
});

describe('the issuer and the audience', () => {
  const strict = new TokenVerifier(
    settings({ jwtSecret: SECRET, issuer: 'https://id.example', audience: 'gatehouse' }),
  );

  it('are checked when set', async () => {
    const right = { iss: 'https://id.example', aud: ['other', 'gatehouse'] };
    expect(await strict.verify(await withSecret(right))).toMatchObject({ ok: true });
    expect(await strict.verify(await withSecret({ ...right, iss: 'https://evil.example' }))).toEqual(INVALID);
    expect(await strict.verify(await withSecret({ ...right, aud: 'other' }))).toEqual(INVALID);
    expect(await strict.verify(await withSecret())).toEqual(INVALID);
  });

  it('do not matter when not set', async () => {
    expect(await bySecret.verify(await withSecret({ iss: 'anyone', aud: 'anything' }))).toMatchObject({ ok: true });
  });
});

describe('refuses', () => {
  it('a token signed with HS256 and the public key for a secret', async () => {
    const forged = await sign({ alg: 'HS256', key: Buffer.from(pem(RSA)) });
    expect(await new TokenVerifier(settings({ jwtPublicKey: pem(RSA) })).verify(forged)).toEqual(INVALID);
    const both = new TokenVerifier(settings({ jwtSecret: SECRET, jwtPublicKey: pem(RSA) }));
    expect(await both.verify(forged)).toEqual(INVALID);
  });

  it('an algorithm of another key family', async () => {
    const verifier = new TokenVerifier(settings({ jwtPublicKey: pem(RSA) }));
    expect(await verifier.verify(await sign({ alg: 'ES256', key: EC.privateKey }))).toEqual(INVALID);
    expect(await bySecret.verify(await sign({ alg: 'RS256', key: RSA.privateKey }))).toEqual(INVALID);
  });

  it.each(['none', 'None', 'NONE', '', 'hs256', 'EdDSA', 'constructor', 1, null, ['HS256']])('alg %j', async (alg) => {
    const [, , signature] = (await withSecret()).split('.');
    expect(await bySecret.verify(forge({ alg }, { sub: 'ada' }))).toEqual(INVALID);
    expect(await bySecret.verify(forge({ alg }, { sub: 'ada' }, signature))).toEqual(INVALID);
  });

  it('a good algorithm without a signature', async () => {
    expect(await bySecret.verify(forge({ alg: 'HS256' }, { sub: 'ada' }))).toEqual(INVALID);
  });

  it('a changed payload or signature', async () => {
    const [header, , signature = ''] = (await withSecret()).split('.');
    const payload = Buffer.from(JSON.stringify({ sub: 'root' })).toString('base64url');
    expect(await bySecret.verify(`${header}.${payload}.${signature}`)).toEqual(INVALID);
    const token = await withSecret();
    const changed = signature.startsWith('A') ? 'B' : 'A';
    expect(await bySecret.verify(token.replace(/\.[^.]([^.]*)$/, `.${changed}$1`))).toEqual(INVALID);
  });

  it('a token signed with another key', async () => {
    expect(await bySecret.verify(await sign({ alg: 'HS256', key: Buffer.from(`${SECRET}!`) }))).toEqual(INVALID);
  });

  it('a header extension that must be understood and is not', async () => {
    const { CompactSign } = await import('jose');
    const token = await new CompactSign(Buffer.from('{"sub":"ada"}'))
      .setProtectedHeader({ alg: 'HS256', crit: ['urn:x'], 'urn:x': true })
      .sign(Buffer.from(SECRET), { crit: { 'urn:x': true } });
    expect(await bySecret.verify(token)).toEqual(INVALID);
  });

  it('a token that says nothing about its user, or the wrong thing', async () => {
    expect(await bySecret.verify(await withSecret({ sub: undefined }))).toEqual(INVALID);
    expect(await bySecret.verify(await withSecret({ roles: 'ADMIN' }))).toEqual(INVALID);
    expect(await bySecret.verify(await withSecret({ channels: { 'room:1': ['own'] } }))).toEqual(INVALID);
  });

  it('a token over 8 KiB, however good', async () => {
    const channels = (count: number) => ({
      channels: Object.fromEntries(Array.from({ length: count }, (_, index) => [`room:${'x'.repeat(40)}${index}`, []])),
    });
    expect(await bySecret.verify(await withSecret(channels(100)))).toMatchObject({ ok: true });
    expect(await bySecret.verify(await withSecret(channels(120)))).toEqual(INVALID);
  });

  it.each(['', '.', '..', 'a.b.c', 'e30.e30.e30', 'bnVsbA.e30.e30', 'e30.'.repeat(100)])('%j', async (token) => {
    expect(await bySecret.verify(token)).toEqual(INVALID);
  });

  it('every token when there is no key', async () => {
    expect(await new TokenVerifier(settings({ mode: 'off' })).verify(await withSecret())).toEqual(INVALID);
  });
});

it('never throws and never accepts, whatever the token', async () => {
  const header = forge({ alg: 'HS256' }, {}).split('.')[0];
  const part = fc.oneof(
    fc.string({ unit: ANY_CHARACTER }),
    fc.base64String(),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
  );
  const token = fc.oneof(
    fc.string({ unit: ANY_CHARACTER }),
    fc.tuple(fc.oneof(part, fc.constant(header)), part, part).map((parts) => parts.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(token, async (text) => {
      expect(await bySecret.verify(text)).toEqual(INVALID);
    }),
    { numRuns: 1000 },
  );
});

describe('does not start with', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const privatePem = RSA.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  it.each([
    ['an empty secret', { jwtSecret: '' }, 'JWT_SECRET must not be empty'],
    ['a public key for a secret', { jwtSecret: pem(RSA) }, 'JWT_SECRET must be a secret, not a PEM'],
    ['a public key that is none', { jwtPublicKey: 'hunter2' }, 'JWT_PUBLIC_KEY must be a PEM'],
    ['a private key for a public one', { jwtPublicKey: privatePem }, 'JWT_PUBLIC_KEY must be the public key'],
    ['an RSA key of 1024 bits', { jwtPublicKey: pem(weak) }, 'JWT_PUBLIC_KEY must be RSA of at least 2048 bits'],
    ['an Ed25519 key, which jsonwebtoken cannot use', { jwtPublicKey: pem(ED) }, 'JWT_PUBLIC_KEY must be RSA'],
    ['a JWKS file', { jwksUrl: 'file:///etc/keys.json' }, 'JWT_JWKS_URL must be'],
    ['a JWKS URL that is none', { jwksUrl: 'hunter2' }, 'JWT_JWKS_URL must be'],
    ['a password in the JWKS URL', { jwksUrl: 'https://a:hunter2@id.example/' }, 'JWT_JWKS_URL must not contain'],
  ])('%s, and says which setting without quoting it', (_name, wrong, message) => {
    expect(() => new TokenVerifier(settings(wrong))).toThrow(message);
    expect(() => new TokenVerifier(settings(wrong))).not.toThrow(/hunter2|MII/);
  });
});

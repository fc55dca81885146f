import { generateKeyPairSync } from 'node:crypto';

import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { JWKS_TIMING } from '../../../src/authentication/jwks.js';
import { TokenVerifier } from '../../../src/authentication/token-verifier.js';
import { Issuer, jwk } from './issuer.js';
import { EC, ED, nowInSeconds, pem, RSA, SECRET, settings, sign, withSecret } from './tokens.js';

const OTHER = generateKeyPairSync('rsa', { modulusLength: 2048 });

const INVALID = { ok: false, reason: 'invalid' };
const UNAVAILABLE = { ok: false, reason: 'unavailable' };
const MINUTE = 60_000;

const byRsa = (kid?: string) => sign({ alg: 'RS256', key: RSA.privateKey, ...(kid !== undefined && { kid }) });
const byEc = (kid: string) => sign({ alg: 'ES256', key: EC.privateKey, kid });
const verifierFor = (issuer: Issuer) => new TokenVerifier(settings({ jwksUrl: issuer.url }));

// Only the clock that ages keys is fake: it runs when a test says so, while sockets and time-outs are real.
const pass = (milliseconds: number) => vi.advanceTimersByTime(milliseconds);

let warn: ReturnType<typeof vi.spyOn>;
let log: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  log = vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('keys that an issuer publishes', () => {
  it('verify tokens by kid and algorithm, fetched once for all', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'), await jwk(EC, 'e1'));
    const verifier = verifierFor(issuer);
    const tokens = await Promise.all([
      byRsa('r1'),
      byEc('e1'),
      byRsa('r1'),
      sign({ alg: 'PS256', key: RSA.privateKey, kid: 'r1' }),
    ]);
    for (const verdict of await Promise.all(tokens.map(async (token) => verifier.verify(token)))) {
      expect(verdict).toMatchObject({ ok: true, principal: { userId: 'ada' } });
    }
    expect(issuer.requests).toBe(1);
  });

  it('are there before the first client when the module starts', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    verifier.onModuleInit();
    await expect.poll(() => issuer.requests).toBe(1);
    expect(await verifier.verify(await byRsa('r1'))).toMatchObject({ ok: true });
    expect(issuer.requests).toBe(1);
  });

  it('do not accept a token another key signed, nor an expired one', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    expect(await verifier.verify(await sign({ alg: 'RS256', key: OTHER.privateKey, kid: 'r1' }))).toEqual(INVALID);
    const expired = await sign({ alg: 'RS256', key: RSA.privateKey, kid: 'r1' }, { exp: nowInSeconds() - 1 });
    expect(await verifier.verify(expired)).toEqual({ ok: false, reason: 'expired' });
  });

  it('are held to issuer and audience like any other', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = new TokenVerifier(settings({ jwksUrl: issuer.url, issuer: 'https://id.example' }));
    expect(await verifier.verify(await byRsa('r1'))).toEqual(INVALID);
  });

  it('need no kid when only one fits the algorithm', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'), await jwk(EC, 'e1'));
    expect(await verifierFor(issuer).verify(await byRsa())).toMatchObject({ ok: true });
  });

  it('are not tried one after the other for a token that names none', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'), await jwk(OTHER, 'r2'));
    expect(await verifierFor(issuer).verify(await byRsa())).toEqual(INVALID);
    expect(issuer.requests).toBe(1);
  });

  it('stand beside a secret and a public key', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = new TokenVerifier(settings({ jwtSecret: SECRET, jwtPublicKey: pem(EC), jwksUrl: issuer.url }));
    expect(await verifier.verify(await withSecret())).toMatchObject({ ok: true });
    expect(await verifier.verify(await byEc('e1'))).toMatchObject({ ok: true });
    expect(issuer.requests).toBe(0);
    expect(await verifier.verify(await byRsa('r1'))).toMatchObject({ ok: true });
  });
});

describe('keys that must not verify:', () => {
  it('a published secret, or a public key taken for one', async () => {
    const k = Buffer.from(SECRET).toString('base64url');
    await using issuer = await Issuer.start({ kty: 'oct', k, kid: 's1', alg: 'HS256' }, await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    expect(await verifier.verify(await sign({ alg: 'HS256', key: Buffer.from(SECRET), kid: 's1' }))).toEqual(INVALID);
    expect(await verifier.verify(await sign({ alg: 'HS256', key: Buffer.from(pem(RSA)), kid: 'r1' }))).toEqual(INVALID);
    expect(issuer.requests).toBe(0);
  });

  it('one meant for encryption or for another algorithm', async () => {
    await using issuer = await Issuer.start(
      await jwk(RSA, 'r1', { use: 'enc' }),
      await jwk(RSA, 'r2', { alg: 'RS512' }),
      await jwk(ED, 'd1'),
    );
    const verifier = verifierFor(issuer);
    expect(await verifier.verify(await byRsa('r1'))).toEqual(INVALID);
    expect(await verifier.verify(await byRsa('r2'))).toEqual(INVALID);
    expect(await verifier.verify(await sign({ alg: 'EdDSA', key: ED.privateKey, kid: 'd1' }))).toEqual(INVALID);
  });

  it('an RSA key of 1024 bits', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    await using issuer = await Issuer.start(await jwk(weak, 'w1'));
    const jsonwebtoken = (await import('@nestjs/jwt')).JwtService;
    const signer = new jsonwebtoken({ privateKey: weak.privateKey });
    const options = { algorithm: 'RS256', keyid: 'w1', allowInsecureKeySizes: true } as const;
    expect(await verifierFor(issuer).verify(signer.sign({ sub: 'ada' }, options))).toEqual(INVALID);
  });
});

describe('an unknown kid', () => {
  it('leads to one fetch, and no second within the cooldown', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    await verifier.verify(await byRsa('r1'));
    pass(JWKS_TIMING.cooldownMs);

    const tokens = await Promise.all(Array.from({ length: 20 }, (_, index) => byRsa(`made-up-${index}`)));
    expect(
      new Set((await Promise.all(tokens.map(async (token) => verifier.verify(token)))).map(({ ok }) => ok)),
    ).toEqual(new Set([false]));
    expect(issuer.requests).toBe(2);

    pass(JWKS_TIMING.cooldownMs - 1);
    expect(await verifier.verify(await byRsa('made-up'))).toEqual(UNAVAILABLE);
    expect(issuer.requests).toBe(2);
    pass(1);
    expect(await verifier.verify(await byRsa('made-up'))).toEqual(INVALID);
    expect(issuer.requests).toBe(3);
  });

  it('is not called invalid within the cooldown, for the issuer may just have rotated, but for a hundred only', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    await verifier.verify(await byRsa('r1'));
    issuer.publish(await jwk(EC, 'e2'));
    const token = await byEc('e2');
    pass(1);
    for (let count = 0; count < 100; count += 1) expect(await verifier.verify(token)).toEqual(UNAVAILABLE);
    expect(await verifier.verify(token)).toEqual(INVALID);
    expect(issuer.requests).toBe(1);
    pass(JWKS_TIMING.cooldownMs);
    expect(await verifier.verify(token)).toMatchObject({ ok: true });
  });

  it('is invalid at once where the keys were fetched for it', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    expect(await verifierFor(issuer).verify(await byRsa('made-up'))).toEqual(INVALID);
    expect(issuer.requests).toBe(1);
  });

  it('is accepted when the issuer has rotated to it', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    await verifier.verify(await byRsa('r1'));
    issuer.publish(await jwk(RSA, 'r1'), await jwk(EC, 'e2'));
    pass(JWKS_TIMING.cooldownMs);
    expect(await verifier.verify(await byEc('e2'))).toMatchObject({ ok: true });
    expect(await verifier.verify(await byRsa('r1'))).toMatchObject({ ok: true });
  });

  it('is not called invalid while the issuer cannot be asked, who is asked once in the cooldown', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    await verifier.verify(await byRsa('r1'));
    issuer.fail();
    pass(JWKS_TIMING.cooldownMs);
    for (let count = 0; count < 5; count += 1) expect(await verifier.verify(await byRsa('r2'))).toEqual(UNAVAILABLE);
    expect(issuer.requests).toBe(2);
  });
});

describe('keys in hand', () => {
  it('are refreshed after ten minutes without a client waiting for it', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    await verifier.verify(await byRsa('r1'));
    pass(10 * MINUTE - 1);
    await verifier.verify(await byRsa('r1'));
    expect(issuer.requests).toBe(1);

    issuer.answer = () => undefined;
    pass(1);
    expect(await verifier.verify(await byRsa('r1'))).toMatchObject({ ok: true });
    await expect.poll(() => issuer.requests).toBe(2);
  });

  it('are gone with the refresh after the issuer withdrew them', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    await verifier.verify(await byRsa('r1'));
    issuer.publish(await jwk(EC, 'e2'));
    pass(10 * MINUTE);
    await verifier.verify(await byRsa('r1'));
    await expect.poll(async () => verifier.verify(await byRsa('r1'))).toMatchObject({ ok: false });
    expect(await verifier.verify(await byEc('e2'))).toMatchObject({ ok: true });
    expect(issuer.requests).toBe(2);
  });

  it('are refreshed before they judge when nobody asked for twice that time', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    await verifier.verify(await byRsa('r1'));
    issuer.publish(await jwk(EC, 'e2'));
    pass(20 * MINUTE);
    expect(await verifier.verify(await byRsa('r1'))).toEqual(INVALID);
  });

  it('survive an outage of any length, logged at a bounded rate and without a token', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    await verifier.verify(await byRsa('r1'));
    issuer.fail();
    for (let minute = 0; minute < 60; minute += 1) {
      pass(MINUTE);
      for (let count = 0; count < 10; count += 1) {
        expect(await verifier.verify(await byRsa('r1'))).toMatchObject({ ok: true });
      }
      await expect.poll(() => issuer.requests).toBe(Math.max(1, minute - 7));
    }
    await expect.poll(() => warn.mock.calls.length).toBeGreaterThan(40);
    expect(warn.mock.calls.length).toBeLessThanOrEqual(60);
    expect(JSON.stringify(warn.mock.calls)).not.toContain('eyJ');

    issuer.publish(await jwk(EC, 'e2'));
    pass(MINUTE);
    await verifier.verify(await byRsa('r1'));
    await expect.poll(() => log.mock.calls).toContainEqual(['fetching signing keys works again']);
    expect(await verifier.verify(await byRsa('r1'))).toMatchObject({ ok: false });
  });
});

describe('while no key was ever fetched', () => {
  it('a token is unavailable, not invalid, and the issuer is asked once a second', async () => {
    await using issuer = await Issuer.start();
    issuer.fail();
    const verifier = verifierFor(issuer);
    for (let count = 0; count < 5; count += 1) expect(await verifier.verify(await byRsa('r1'))).toEqual(UNAVAILABLE);
    expect(issuer.requests).toBe(1);

    issuer.publish(await jwk(RSA, 'r1'));
    pass(JWKS_TIMING.firstFetchPauseMs);
    expect(await verifier.verify(await byRsa('r1'))).toMatchObject({ ok: true });
  });

  it('an issuer that nobody listens for is named by its error code', async () => {
    const issuer = await Issuer.start();
    const { url } = issuer;
    await issuer[Symbol.asyncDispose]();
    expect(await new TokenVerifier(settings({ jwksUrl: url })).verify(await byRsa('r1'))).toEqual(UNAVAILABLE);
    expect(warn).toHaveBeenCalledWith({
      msg: 'cannot fetch signing keys',
      reason: 'ECONNREFUSED',
      consequence: 'tokens signed with them cannot be verified',
    });
  });
});

describe('a hostile key set', () => {
  async function verdictOn(issuer: Issuer) {
    const verifier = new TokenVerifier(settings({ jwksUrl: issuer.url }), { ...JWKS_TIMING, fetchTimeoutMs: 200 });
    return verifier.verify(await byRsa('r1'));
  }

  it.each([
    ['is no JSON', '<html>'],
    ['is a list', '[]'],
    ['has no keys', '{}'],
    ['has keys that are none', '{"keys":[1,null]}'],
    ['is nested without end', '{"keys":'.repeat(20_000)],
    ['is empty', ''],
  ])('that %s makes nothing available', async (_name, body) => {
    await using issuer = await Issuer.start();
    issuer.answer = (response) => void response.end(body);
    expect(await verdictOn(issuer)).toEqual(UNAVAILABLE);
  });

  it('with a broken key does not harm the others', async () => {
    await using issuer = await Issuer.start({ kty: 'RSA', kid: 'b1', n: '!', e: 'AQAB' }, await jwk(RSA, 'r1'));
    const verifier = verifierFor(issuer);
    expect(await verifier.verify(await byRsa('b1'))).toEqual(INVALID);
    expect(await verifier.verify(await byRsa('r1'))).toMatchObject({ ok: true });
  });

  it('without end is cut off', async () => {
    await using issuer = await Issuer.start();
    let sent = 0;
    issuer.answer = (response) => {
      const chunk = Buffer.alloc(65_536, 0x20);
      const more = () => {
        if (response.destroyed || sent > 64 << 20) return;
        sent += chunk.length;
        response.write(chunk, more);
      };
      more();
    };
    expect(await verdictOn(issuer)).toEqual(UNAVAILABLE);
    expect(JSON.stringify(warn.mock.calls)).toContain('larger than 262144 bytes');
    expect(sent).toBeLessThan(16 << 20);
  });

  it('that never arrives is given up', async () => {
    await using issuer = await Issuer.start();
    issuer.answer = () => undefined;
    expect(await verdictOn(issuer)).toEqual(UNAVAILABLE);
  });

  it('that stops half-way is given up', async () => {
    await using issuer = await Issuer.start();
    issuer.answer = (response) => void response.write('{"keys":[');
    expect(await verdictOn(issuer)).toEqual(UNAVAILABLE);
  });

  it('behind a redirect is not followed', async () => {
    await using target = await Issuer.start(await jwk(RSA, 'r1'));
    await using issuer = await Issuer.start();
    issuer.answer = (response) => void response.writeHead(302, { location: target.url }).end();
    expect(await verdictOn(issuer)).toEqual(UNAVAILABLE);
    expect(target.requests).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import type { Environment } from '../../config/settings.js';
import { EC, RSA, pem, sign } from '../unit/authentication/tokens.js';
import { Issuer, jwk } from '../unit/authentication/issuer.js';
import { eventually } from '../support/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { sharedServers } from '../support/shared-server.js';
import { connect, open, type ClientSetup } from '../support/test-client.js';
import { mintToken, startTestServer } from '../support/test-server.js';

const serverWith = sharedServers();

const UNAUTHENTICATED = { code: 4401, reason: 'Authentication required' };
const EXPIRED = { code: 4401, reason: 'Token expired' };
const INVALID = { code: 4403, reason: 'Invalid token' };

const FORGED = mintToken({ sub: 'mallory' }, 'another-secret-with-enough-characters');

/** Who the server takes a client for that brings nothing but what is given here. */
async function userAt(url: string, setup: ClientSetup): Promise<unknown> {
  await using client = await connect(url, { claims: false, ...setup });
  return ((await client.request('hello')).data as { userId: unknown }).userId;
}

async function closeAt(url: string, setup: ClientSetup): Promise<unknown> {
  await using client = open(url, { claims: false, ...setup });
  return await client.closed;
}

/** A refused client is "open" too, for the moment before its close frame: one that is let in is answered. */
async function isLetIn(url: string, setup: ClientSetup): Promise<boolean> {
  await using client = await connect(url, { claims: false, ...setup });
  client.send({ type: 'ping', id: 1 });
  return await client.next().then(
    () => true,
    () => false,
  );
}

const header = (token: string): ClientSetup => ({ headers: { authorization: `Bearer ${token}` } });
const tokenOf = (sub: string): string => mintToken({ sub });

describe('a token', () => {
  it.each<[string, (token: string) => ClientSetup & { readonly query?: string }]>([
    ['in the Authorization header', header],
    ['in that header, whatever the case of its scheme', (token) => ({ headers: { authorization: `bEARER ${token}` } })],
    ['as the subprotocol bearer.<jwt>', (token) => ({ protocols: ['v1.json', `bearer.${token}`] })],
    ['as a subprotocol of its own', (token) => ({ protocols: [token, 'v1.json'] })],
    ['in the query', (token) => ({ query: `?token=${token}` })],
  ])('is found %s', async (_where, bring) => {
    const server = await serverWith();
    const { query = '', ...setup } = bring(tokenOf('ada'));
    expect(await userAt(server.url + query, setup)).toBe('ada');
  });

  it('among the subprotocols is never echoed, not even when the client is refused', async () => {
    const server = await serverWith();
    for (const [offered, echoed] of [
      [`bearer.${tokenOf('ada')}`, undefined],
      [`${tokenOf('ada')}, v1.binary`, 'v1.binary'],
      [`bearer.${FORGED}, v1.json`, 'v1.json'],
      [FORGED, undefined],
    ] as const) {
      await using client = await RawClient.upgrade(server.port, { headers: { 'Sec-WebSocket-Protocol': offered } });
      const { status, headers } = await client.answer();
      expect([status, headers['sec-websocket-protocol']]).toEqual([101, echoed]);
    }
  });

  it('in the header wins over one among the subprotocols, and that over one in the query', async () => {
    const server = await serverWith();
    const inQuery = `${server.url}?token=${tokenOf('query')}`;
    const protocols = ['v1.json', `bearer.${tokenOf('subprotocol')}`];
    expect(await userAt(inQuery, { ...header(tokenOf('header')), protocols })).toBe('header');
    expect(await userAt(inQuery, { protocols })).toBe('subprotocol');
    expect(await userAt(inQuery, {})).toBe('query');
  });

  it('that is bad is not made up for by a good one further down', async () => {
    const server = await serverWith();
    expect(await closeAt(`${server.url}?token=${tokenOf('query')}`, header(FORGED))).toEqual(INVALID);
  });

  it('of another scheme in the header is not ours to judge', async () => {
    const server = await serverWith();
    const headers = { authorization: 'Basic YWRhOmxvdmVsYWNl' };
    expect(await userAt(`${server.url}?token=${tokenOf('query')}`, { headers })).toBe('query');
  });
});

describe('a client without a good token', () => {
  const CASES: [string, () => ClientSetup, object][] = [
    ['that brings none', () => ({}), UNAUTHENTICATED],
    ['that brings an empty one', () => header(''), INVALID],
    ['whose token is signed by somebody else', () => header(FORGED), INVALID],
    ['whose token is not signed', () => header(mintToken().replace(/[^.]*$/, '')), INVALID],
    ['whose token is garbage', () => header('garbage'), INVALID],
    ['whose token names nobody', () => header(mintToken({ sub: undefined })), INVALID],
    ['whose token is not valid yet', () => header(mintToken({ nbf: Date.now() / 1000 + 600 })), INVALID],
    ['whose token has expired', () => header(mintToken({ exp: Date.now() / 1000 - 600 })), EXPIRED],
  ];

  it.each(CASES)('%s reads why in the close code', async (_what, setup, close) => {
    const server = await serverWith();
    expect(await closeAt(server.url, setup())).toEqual(close);
  });

  it.each(CASES)('%s is answered 401 where AUTH_REFUSAL is http', async (_what, setup, close) => {
    const server = await serverWith({ AUTH_REFUSAL: 'http' });
    const { headers } = setup();
    const own = headers ? { Authorization: headers.authorization } : {};
    await using client = await RawClient.upgrade(server.port, { headers: own });
    const { status, headers: answered, body } = await client.outcome();
    expect([status, answered['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(body).toBe((close as { reason: string }).reason);
  });

  it('is still told everything else by close codes where AUTH_REFUSAL is http', async () => {
    const server = await serverWith({ AUTH_REFUSAL: 'http' });
    expect(await closeAt(server.url, { protocols: ['soap'] })).toMatchObject({ code: 1002 });
  });
});

describe('AUTH_MODE', () => {
  const OPTIONAL: Environment = { AUTH_MODE: 'optional' };

  it('optional lets a client without a token in as nobody, and refuses a bad one', async () => {
    const server = await serverWith(OPTIONAL);
    expect(await userAt(server.url, {})).toBeNull();
    expect(await userAt(server.url, header(tokenOf('ada')))).toBe('ada');
    expect(await closeAt(server.url, header(FORGED))).toEqual(INVALID);
    expect(await closeAt(server.url, header(''))).toEqual(INVALID);
  });

  it('optional gives nobody no rights', async () => {
    const server = await serverWith(OPTIONAL);
    await using client = await connect(server.url, { claims: false });
    const data = { targetUserId: 'ada', message: 'hi' };
    expect(await client.request('send_message', data)).toMatchObject({ type: 'error', code: 'UNAUTHENTICATED' });
  });

  it('off reads no token and takes everyone for another guest', async () => {
    const server = await serverWith({ AUTH_MODE: 'off', JWT_SECRET: '' });
    const guests = [await userAt(server.url, {}), await userAt(server.url, header(tokenOf('ada')))];
    expect(guests[0]).toMatch(/^guest:/);
    expect(guests[1]).toMatch(/^guest:/);
    expect(guests[0]).not.toBe(guests[1]);
  });
});

describe('a token of an issuer', () => {
  it.each([
    ['RS256', RSA],
    ['ES256', EC],
  ])('is checked with the public key (%s)', async (alg, pair) => {
    const environment = { JWT_SECRET: '', JWT_PUBLIC_KEY: pem(pair).replaceAll('\n', '\\n') };
    const server = await serverWith(environment);
    expect(await userAt(server.url, header(await sign({ alg, key: pair.privateKey })))).toBe('ada');
    // The classic confusion: the public key, which everyone may have, used as a shared secret.
    expect(await closeAt(server.url, header(mintToken({}, pem(pair))))).toEqual(INVALID);
  });

  it('must be meant for this server, where issuer and audience are set', async () => {
    const server = await serverWith({ JWT_ISSUER: 'https://issuer.example', JWT_AUDIENCE: 'gatehouse' });
    const iss = 'https://issuer.example';
    expect(await userAt(server.url, header(mintToken({ sub: 'ada', iss, aud: ['other', 'gatehouse'] })))).toBe('ada');
    for (const claims of [{}, { iss }, { aud: 'gatehouse' }, { iss, aud: 'other' }, { iss: 'x', aud: 'gatehouse' }]) {
      expect(await closeAt(server.url, header(mintToken(claims)))).toEqual(INVALID);
    }
  });

  it('is checked with the keys that the issuer publishes, also through an outage', async () => {
    await using issuer = await Issuer.start(await jwk(RSA, 'k1'));
    await using server = await startTestServer({ JWT_SECRET: '', JWT_JWKS_URL: issuer.url });
    const known = await sign({ alg: 'RS256', key: RSA.privateKey, kid: 'k1' });
    expect(await userAt(server.url, header(known))).toBe('ada');
    issuer.fail();
    expect(await userAt(server.url, header(known))).toBe('ada');
  });

  it('is checked again when the issuer is back, and until then the client is told to come later', async () => {
    await using issuer = await Issuer.start();
    issuer.fail();
    await using server = await startTestServer({ JWT_SECRET: '', JWT_JWKS_URL: issuer.url });
    const token = await sign({ alg: 'RS256', key: RSA.privateKey, kid: 'k1' });
    expect(await closeAt(server.url, header(token))).toMatchObject({ code: 1013 });
    issuer.publish(await jwk(RSA, 'k1'));
    await eventually('the keys are fetched again', () => isLetIn(server.url, header(token)));
  });
});

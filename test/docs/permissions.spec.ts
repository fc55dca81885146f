import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MessageTable } from '../../src/dispatch/message-table.js';
import { api, type ApiAnswer } from '../support/api-client.js';
import { fetch } from '../support/fetch.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { connect, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';
import { literal, read, section, table } from './markdown.js';

const documented = section(read('docs/security.md'), '## Who may do what to whom');
const ENDPOINTS = table(documented, 'endpoint').map(({ endpoint = '', ...row }) => ({
  endpoint: literal(endpoint) ?? '',
  ADMIN: row['`ADMIN`'],
  SERVICE: row['`SERVICE`'],
  VIEWER: row['`VIEWER`'],
  others: row.others,
  above: row.above,
}));
const MESSAGES = table(documented, 'message').map(({ message = '', ...row }) => ({
  type: literal(message) ?? '',
  guest: row['without a token'],
  signedIn: row['signed in'],
  reaches: row.reaches ?? '',
}));

const ADMIN = mintToken({ sub: 'chief', roles: ['ADMIN'] });
const SERVICE = mintToken({ sub: 'backend', roles: ['SERVICE'] });
const VIEWER = mintToken({ sub: 'onlooker', roles: ['VIEWER'] });
const TOKENS = { ADMIN, SERVICE, VIEWER, others: mintToken({ sub: 'bob', roles: ['MEMBER'] }) };
/** What an endpoint says that is not for the role of its caller, whatever it is asked. */
const CLOSED = new Set(['Insufficient privileges', 'Requires the role ADMIN', 'The role VIEWER changes nothing']);

const file = namespacesFile({
  feed: 'subscribe: anyone, publish: signed_in',
  twin: 'subscribe: anyone, publish: signed_in, history: { size: 9, age: 1m }, state: true',
  fleet: 'subscribe: anyone, history: { size: 9, age: 1m }, state: { area: { fields: [lat, lon], cell: 1 } }',
});
let server: TestServer;
beforeAll(
  async () => void (server = await startTestServer({ AUTH_MODE: 'optional', EDGE_CENTRE: 'on', ...file.environment })),
);
afterAll(async () => {
  await server.close();
  file[Symbol.dispose]();
});

describe('the table of endpoints in docs/security.md', () => {
  it('has each endpoint once, and no other', async () => {
    const { paths } = (await (await fetch(`${server.http}/docs-json`)).json()) as { paths: Record<string, object> };
    const present = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(ENDPOINTS.map(({ endpoint }) => endpoint).sort()).toEqual(present.sort());
  });

  it('says of each endpoint which roles it is open to', async () => {
    for (const { endpoint, ...row } of ENDPOINTS) {
      const open = async (token: string) => ((await isOpen(endpoint, token)) ? 'yes' : 'no');
      const found = {
        ADMIN: await open(TOKENS.ADMIN),
        SERVICE: await open(TOKENS.SERVICE),
        VIEWER: await open(TOKENS.VIEWER),
        others: await open(TOKENS.others),
      };
      expect({ endpoint, ...found }).toEqual({
        endpoint,
        ADMIN: row.ADMIN,
        SERVICE: row.SERVICE,
        VIEWER: row.VIEWER,
        others: row.others,
      });
    }
  });

  it('says of each endpoint that names a person what happens to one above the caller', async () => {
    const aboutPeople = ENDPOINTS.filter(({ endpoint }) => isAboutSomebody(endpoint)).map(({ endpoint }) => endpoint);
    const rows = ENDPOINTS.filter(({ above }) => above !== '');
    expect(rows.map(({ endpoint }) => endpoint).sort()).toEqual(aboutPeople.sort());
    expect(rows.map(({ endpoint }) => endpoint).sort()).toEqual(Object.keys(ATTEMPTS).sort());
  });
});

interface Scene {
  readonly user: string;
  readonly sessionId: string;
  readonly tokenId: string;
}

type Attempt = readonly [call: string, body?: object];

/** Each endpoint that names a person: what it is asked about an ADMIN who is connected, or whom an order of an ADMIN is about. */
const ATTEMPTS: Readonly<Record<string, (scene: Scene) => readonly Attempt[]>> = {
  'POST /api/users/{userId}/messages': ({ user }) => [[`POST /api/users/${user}/messages`, { data: 1 }]],
  'DELETE /api/sessions/{id}': ({ sessionId }) => [[`DELETE /api/sessions/${sessionId}`]],
  'DELETE /api/users/{userId}/sessions': ({ user }) => [[`DELETE /api/users/${user}/sessions`]],
  'POST /api/bans': ({ user }) => [['POST /api/bans', { kind: 'user', key: user, durationMs: 60_000 }]],
  'DELETE /api/bans/{kind}/{key}': ({ user }) => [[`DELETE /api/bans/user/${user}-banned`]],
  'POST /api/revocations': ({ user, sessionId, tokenId }) => [
    ['POST /api/revocations', { kind: 'user', key: user }],
    ['POST /api/revocations', { kind: 'token', key: tokenId }],
    ['POST /api/revocations', { kind: 'session', key: sessionId }],
    ['POST /api/revocations', { kind: 'user', key: `${user}-revoked` }],
  ],
  'DELETE /api/revocations/{kind}/{key}': ({ user }) => [[`DELETE /api/revocations/user/${user}-revoked`]],
  'PUT /api/users/{userId}/rights': ({ user }) => [
    [`PUT /api/users/${user}/rights`, { roles: [] }],
    [`PUT /api/users/${user}-changed/rights`, { roles: ['MEMBER'] }],
    ['PUT /api/users/backend/rights', { roles: ['ADMIN'] }],
    ['PUT /api/users/accomplice/rights', { roles: ['MEMBER', 'ADMIN'], channels: {} }],
  ],
  'DELETE /api/users/{userId}/rights': ({ user }) => [[`DELETE /api/users/${user}-changed/rights`]],
};

describe.each(ENDPOINTS.filter(({ above }) => above !== ''))(
  '$endpoint about a person above',
  ({ endpoint, above }) => {
    it(`is ${above} for a SERVICE, and open to an ADMIN`, async () => {
      const user = `root-${randomUUID()}`;
      const tokenId = `token-${user}`;
      await using root = await connect(server.url, { claims: { sub: user, roles: ['ADMIN'], jti: tokenId } });
      await ordersOfAnAdmin(user);
      const attempts = ATTEMPTS[endpoint]?.({ user, tokenId, sessionId: await sessionOf(root) }) ?? [];
      for (const [call, body] of attempts) {
        const { status } = await as(SERVICE, call, body);
        expect({ call, body, status }).toEqual({ call, body, status: above === 'refused' ? 403 : 200 });
      }
      if (above === 'allowed') await root.next();
      expect(await root.request('hello')).toMatchObject({ data: { userId: user, roles: ['ADMIN'] } });
      const [call = '', body] = attempts[0] ?? [];
      expect([200, 204]).toContain((await as(ADMIN, call, body)).status);
    });
  },
);

/** What a SERVICE must not undo. */
async function ordersOfAnAdmin(user: string): Promise<void> {
  await as(ADMIN, 'POST /api/bans', { kind: 'user', key: `${user}-banned`, durationMs: 60_000 });
  await as(ADMIN, 'POST /api/revocations', { kind: 'user', key: `${user}-revoked` });
  await as(ADMIN, `PUT /api/users/${user}-changed/rights`, { roles: [] });
}

describe('an order by a SERVICE about somebody who is not connected', () => {
  it.each([
    ['a ban', 'ann', 'POST /api/bans', { kind: 'user', key: 'ann', durationMs: 60_000 }],
    ['a revocation of all tokens', 'ben', 'POST /api/revocations', { kind: 'user', key: 'ben' }],
    ['a revocation of one token', 'cid', 'POST /api/revocations', { kind: 'token', key: 'token-cid' }],
    ['other rights', 'dan', 'PUT /api/users/dan/rights', { roles: [] }],
  ])('is taken, and does not hold for an ADMIN: %s', async (_what, sub, call, body) => {
    expect((await as(SERVICE, call, body)).status).toBe(200);
    const claims = { sub, roles: ['ADMIN'], jti: `token-${sub}` };
    await using client = await connect(server.url, { claims });
    expect(await client.request('hello')).toMatchObject({ data: { roles: ['ADMIN'] } });
    expect((await as(mintToken(claims), 'GET /api/logs/levels')).status).toBe(200);
  });

  it('holds for a user who stands no higher', async () => {
    await as(SERVICE, 'POST /api/revocations', { kind: 'user', key: 'colleague' });
    const colleague = mintToken({ sub: 'colleague', roles: ['SERVICE'], iat: 1 });
    expect((await as(colleague, 'GET /api/nodes')).status).toBe(401);
  });
});

describe('an order about oneself', () => {
  it('can grant a SERVICE nothing that it has not', async () => {
    const mallory = mintToken({ sub: 'mallory', roles: ['SERVICE'] });
    expect((await as(mallory, 'PUT /api/users/mallory/rights', { roles: ['ADMIN', 'SERVICE'] })).status).toBe(403);
    expect((await as(mallory, 'GET /api/diagnostics')).status).toBe(403);
  });

  it('may lower one’s own rights; another operator restores them, or a token that is issued later', async () => {
    const claims = { sub: 'only-admin', roles: ['ADMIN'] };
    const before = mintToken({ ...claims, iat: seconds(-60) });
    expect((await as(before, 'PUT /api/users/only-admin/rights', { roles: ['SERVICE'] })).status).toBe(200);
    expect((await as(before, 'GET /api/diagnostics')).status).toBe(403);
    expect((await as(before, 'DELETE /api/users/only-admin/rights')).status).toBe(403);
    expect((await as(before, 'PUT /api/users/only-admin/rights', { roles: ['SERVICE'] })).status).toBe(403);
    // Their clocks may differ by JWT_CLOCK_TOLERANCE_MS.
    expect((await as(mintToken({ ...claims, iat: seconds(2) }), 'GET /api/diagnostics')).status).not.toBe(401);
    expect((await as(ADMIN, 'DELETE /api/users/only-admin/rights')).status).toBe(204);
    expect((await as(before, 'GET /api/diagnostics')).status).toBe(200);
  });

  it('cannot be undone by the person that it is about', async () => {
    const colleague = mintToken({ sub: 'banned-operator', roles: ['ADMIN'] });
    await as(ADMIN, 'POST /api/bans', { kind: 'user', key: 'banned-operator', durationMs: 60_000 });
    const lift = 'DELETE /api/bans/user/banned-operator';
    const replace = { kind: 'user', key: 'banned-operator', durationMs: 1 };
    expect((await as(colleague, lift)).status).toBe(403);
    expect((await as(colleague, 'POST /api/bans', replace)).status).toBe(403);
    expect((await as(ADMIN, lift)).status).toBe(204);
  });
});

describe('the table of messages in docs/security.md', () => {
  it('has each built-in message once, and no other', () => {
    const types = [...server.app.get(MessageTable, { strict: false }).of('').keys()];
    expect(MESSAGES.map(({ type }) => type).sort()).toEqual(types.sort());
  });

  it('says of each message whether it needs a token', async () => {
    await using guest = await connect(server.url, { claims: false });
    for (const { type, guest: row } of MESSAGES) {
      const { code } = await guest.request(type, DATA[type]);
      expect({ type, code }).toEqual({ type, code: row === 'no' ? 'UNAUTHENTICATED' : CODES_OF_GUESTS[type] });
    }
  });

  it('says of each message which role it needs', async () => {
    await using member = await connect(server.url, { claims: { sub: 'member', roles: ['MEMBER'] } });
    const reserved = MESSAGES.filter(({ signedIn = '' }) => /^`[A-Z]+`$/.test(signedIn));
    for (const { type, signedIn = '' } of reserved) {
      expect({ type, code: (await member.request(type)).code }).toEqual({ type, code: 'FORBIDDEN' });
      await using entitled = await connect(server.url, { claims: { sub: 'entitled', roles: [literal(signedIn)] } });
      expect((await entitled.request(type)).code).not.toBe('FORBIDDEN');
    }
  });

  it('says of each message that reaches others that it bears the sender, whoever the sender claims to be', async () => {
    const liar = { from: { userId: 'chief', sessionId: 'of-the-chief' }, publisher: 'chief' };
    const reaching = MESSAGES.filter(({ reaches }) => reaches.includes('`from`')).map(({ type }) => type);
    expect(reaching.sort()).toEqual(['broadcast', 'edge.forward', 'publish', 'send_message']);
    await using reader = await connect(server.url, { claims: { sub: 'reader' } });
    await reader.request('subscribe', { channel: 'feed:a' });
    await using sender = await connect(server.url, { claims: { sub: 'sender' } });
    const origin = { userId: 'sender', sessionId: await sessionOf(sender) };
    sender.send({ type: 'broadcast', data: 1, ...liar });
    expect(await reader.next()).toMatchObject({ type: 'broadcast', from: origin });
    sender.send({ type: 'publish', id: 1, data: { channel: 'feed:a', data: 1, ...liar }, ...liar });
    expect(await reader.next()).toMatchObject({ channel: 'feed:a', from: origin });
    sender.send({ type: 'send_message', id: 2, data: { targetUserId: 'reader', message: 'psst', ...liar }, ...liar });
    expect(await reader.next()).toMatchObject({ type: 'direct_message', data: { from: origin } });
    await using edge = await connect(server.url, { claims: { sub: 'line-1', roles: ['EDGE'] } });
    const line = { userId: 'line-1', sessionId: await sessionOf(edge) };
    const records = [{ seq: 1, channel: 'feed:a', data: 1, ...liar }];
    edge.send({ type: 'edge.forward', id: 3, data: { run: 'a', records }, ...liar });
    expect(await reader.next()).toMatchObject({ channel: 'feed:a', from: line });
  });
});

/** What makes each message succeed, as far as that needs data. */
const DATA: Readonly<Record<string, unknown>> = {
  echo: 1,
  broadcast: 1,
  send_message: { targetUserId: 'alice', message: 'psst' },
  auth_refresh: { token: mintToken() },
  subscribe: { channel: 'feed:a' },
  unsubscribe: { channel: 'feed:a' },
  publish: { channel: 'feed:a', data: 1 },
  'state.set': { channel: 'twin:a', key: 'a', patch: 1 },
  'state.remove': { channel: 'twin:a', key: 'a' },
  'state.next': { channel: 'twin:a' },
  area: { channel: 'fleet:a', box: [0, 0, 0, 0] },
  'area.next': { channel: 'fleet:a' },
  history: { channel: 'feed:a' },
  presence: { channel: 'feed:a' },
};

/** The namespace `feed` lets guests subscribe, and no more. A guest has no user, so every token is another user's. */
const CODES_OF_GUESTS: Readonly<Record<string, string>> = {
  auth_refresh: 'FORBIDDEN',
  publish: 'UNAUTHENTICATED',
  'state.set': 'UNAUTHENTICATED',
  'state.remove': 'UNAUTHENTICATED',
  'state.next': 'NOT_SUBSCRIBED',
  area: 'NOT_SUBSCRIBED',
  'area.next': 'NOT_SUBSCRIBED',
  history: 'FORBIDDEN',
  presence: 'FORBIDDEN',
};

/** Asked for something that no endpoint takes, so that nothing happens where the caller may pass. */
async function isOpen(endpoint: string, token: string): Promise<boolean> {
  const call = endpoint.replaceAll('{channel}', 'feed:a').replace(/\{\w+\}/g, '-');
  const needsBody = call.startsWith('POST') || call.startsWith('PUT');
  const { status, body } = await as(token, call, needsBody ? { 'no such field': 1 } : undefined);
  return status !== 403 || !CLOSED.has((body as { detail: string }).detail);
}

function isAboutSomebody(endpoint: string): boolean {
  // A key of a state channel names no person.
  if (endpoint.startsWith('GET') || endpoint.endsWith('/state/{key}')) return false;
  return /\{(?:userId|id|key)\}/.test(endpoint) || /^POST .*\/(?:bans|revocations)$/.test(endpoint);
}

function as(token: string, call: string, body?: unknown): Promise<ApiAnswer> {
  return api(server, call, { token, ...(body !== undefined && { body }) });
}

async function sessionOf(client: TestClient): Promise<string> {
  return ((await client.request('hello')).data as { sessionId: string }).sessionId;
}

function seconds(ahead: number): number {
  return Math.floor(Date.now() / 1000) + ahead;
}

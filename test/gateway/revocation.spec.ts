import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { api } from '../support/api-client.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, open } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const REVOKED = { code: 4401, reason: 'Token revoked' };
const HOUR_MS = 3_600_000;
const WEEK_MS = 604_800_000;

const seconds = (ahead = 0): number => Math.floor(Date.now() / 1000) + ahead;

describe('a revocation', () => {
  let server: TestServer;
  beforeAll(async () => void (server = await startTestServer()));
  afterAll(() => server.close());

  const revoke = async (body: object) => (await api(server, 'POST /api/revocations', { body })) as Answer;
  const sessionOf = (userId: string) => server.app.get(SessionRegistry, { strict: false }).ofUser(userId)[0];
  const stillServes = async (client: { request(type: string, data: unknown): Promise<object> }) =>
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });

  interface Answer {
    readonly status: number;
    readonly body: { readonly sessions: number; readonly revocation?: { readonly until: number } };
  }

  it('of a token ends what was opened with it, and keeps it out, until it is lifted', async () => {
    const claims = { sub: 'ann', jti: 'ann-1' };
    await using first = await connect(server.url, { claims });
    await using second = await connect(server.url, { claims });
    await using other = await connect(server.url, { claims: { ...claims, jti: 'ann-2' } });
    const until = Date.now() + HOUR_MS;
    const order = { kind: 'token', key: 'ann-1', until, reason: 'Laptop lost' };
    expect(await revoke(order)).toMatchObject({ status: 200, body: { sessions: 2, missing: [], revocation: order } });
    expect([await first.closed, await second.closed]).toEqual([REVOKED, REVOKED]);
    await stillServes(other);
    await using refused = open(server.url, { claims });
    expect(await refused.closed).toEqual(REVOKED);

    expect((await api(server, 'GET /api/revocations')).body).toEqual({ revocations: [order], total: 1 });
    expect((await api(server, 'DELETE /api/revocations/token/ann-1')).status).toBe(204);
    expect((await api(server, 'DELETE /api/revocations/token/ann-1')).status).toBe(404);
    await using again = await connect(server.url, { claims });
    await stillServes(again);
  });

  it('of a token ends a session that was refreshed with it, and no longer one that was refreshed with another', async () => {
    const claims = { sub: 'ben', jti: 'ben-1' };
    await using refreshed = await connect(server.url, { claims });
    await using late = await connect(server.url, { claims });
    const token = mintToken({ ...claims, jti: 'ben-2' });
    expect((await refreshed.request('auth_refresh', { token })).type).toBe('auth_refresh_reply');
    expect(await revoke({ kind: 'token', key: 'ben-1' })).toMatchObject({ body: { sessions: 1 } });
    expect(await late.closed).toEqual(REVOKED);
    expect(await refreshed.request('auth_refresh', { token: mintToken(claims) })).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'Token revoked',
    });
    expect(await revoke({ kind: 'token', key: 'ben-2' })).toMatchObject({ body: { sessions: 1 } });
    expect(await refreshed.closed).toEqual(REVOKED);
  });

  it('of a user holds for every token from before, also one that does not say when, and for none that comes after', async () => {
    await using old = await connect(server.url, { claims: { sub: 'cid', iat: seconds(-60) } });
    await using timeless = await connect(server.url, { claims: { sub: 'cid', iat: undefined } });
    await using neighbour = await connect(server.url, { claims: { sub: 'dan' } });
    expect(await revoke({ kind: 'user', key: 'cid' })).toMatchObject({ status: 200, body: { sessions: 2 } });
    expect([await old.closed, await timeless.closed]).toEqual([REVOKED, REVOKED]);
    for (const iat of [seconds(-60), undefined]) {
      await using refused = open(server.url, { claims: { sub: 'cid', iat } });
      expect(await refused.closed).toEqual(REVOKED);
    }
    await using fresh = await connect(server.url, { claims: { sub: 'cid', iat: seconds(2) } });
    await stillServes(fresh);
    await stillServes(neighbour);
  });

  it('of a user reaches tokens of an issuer whose clock is ahead, if `issuedBefore` allows for that', async () => {
    using clock = new StoppedClock();
    const claims = { sub: 'ada', iat: seconds(4) };
    await using early = await connect(server.url, { claims });
    clock.pass(1_000);
    const issuedBefore = Date.now() + 5_000;
    expect(await revoke({ kind: 'user', key: 'ada', issuedBefore })).toMatchObject({ body: { sessions: 1 } });
    expect(await early.closed).toEqual(REVOKED);
    for (const milliseconds of [0, 2_000, 60_000]) {
      clock.pass(milliseconds);
      await using again = open(server.url, { claims });
      expect(await again.closed).toEqual(REVOKED);
    }
    await using fresh = await connect(server.url, { claims: { sub: 'ada', iat: seconds(0) } });
    await stillServes(fresh);
  });

  it('needs none of that for a token that is further ahead than the tolerance: it is refused', async () => {
    await using refused = open(server.url, { claims: { sub: 'bea', iat: seconds(60) } });
    expect((await refused.closed).code).toBe(4403);
  });

  it('of a user may reach back to a time, and then spares what was issued since', async () => {
    await using old = await connect(server.url, { claims: { sub: 'eve', iat: seconds(-600) } });
    await using recent = await connect(server.url, { claims: { sub: 'eve', iat: seconds(-60) } });
    const issuedBefore = Date.now() - 300_000;
    expect(await revoke({ kind: 'user', key: 'eve', issuedBefore })).toMatchObject({ body: { sessions: 1 } });
    expect(await old.closed).toEqual(REVOKED);
    await stillServes(recent);
  });

  it('of a session ends it, and its token is good for nothing any more', async () => {
    const exp = seconds(3_600);
    const claims = { sub: 'fay', jti: 'fay-1', exp };
    await using client = await connect(server.url, { claims });
    const { status, body } = await revoke({ kind: 'session', key: sessionOf('fay')?.id });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { sessions: 1, revocation: { kind: 'token', key: 'fay-1', until: exp * 1_000 + 60_000 } },
    });
    expect(await client.closed).toEqual(REVOKED);
    await using refused = open(server.url, { claims });
    expect(await refused.closed).toEqual(REVOKED);
  });

  it('of a session whose token has no id only ends it, and says so', async () => {
    await using client = await connect(server.url, { claims: { sub: 'gus' } });
    const { body } = await revoke({ kind: 'session', key: sessionOf('gus')?.id });
    expect(body).toEqual({ sessions: 1, missing: [] });
    expect(await client.closed).toEqual({ code: 4409, reason: 'Session ended' });
    expect((await revoke({ kind: 'session', key: 'nobody-has-this' })).status).toBe(404);
  });

  it('that says nothing else is kept for REVOCATION_TTL_MS', async () => {
    const before = Date.now();
    const { revocation } = (await revoke({ kind: 'token', key: 'ttl' })).body;
    const lasts = (revocation?.until ?? 0) - before;
    expect(lasts).toBeGreaterThanOrEqual(WEEK_MS);
    expect(lasts).toBeLessThan(WEEK_MS + 60_000);
  });

  it('keeps its token out of the server API as well', async () => {
    const token = mintToken({ sub: 'old backend', roles: ['SERVICE'], jti: 'backend-1' });
    expect((await api(server, 'GET /api/nodes', { token })).status).toBe(200);
    await revoke({ kind: 'token', key: 'backend-1' });
    expect(await api(server, 'GET /api/nodes', { token })).toMatchObject({
      status: 401,
      body: { detail: 'Token revoked' },
    });
  });

  it('is counted, and so are those it refuses; the audit says who ordered it', async () => {
    const earlier = await Scrape.of(server);
    await revoke({ kind: 'token', key: 'counted' });
    await using refused = open(server.url, { claims: { jti: 'counted' } });
    await refused.closed;
    const later = await Scrape.of(server);
    expect(later.since(earlier, 'gatehouse_revocations_active')).toBe(1);
    expect(later.since(earlier, 'websocket_connections_refused_total{reason="token_revoked"}')).toBe(1);
    expect(server.auditLines.find(({ target }) => target === 'token counted')).toMatchObject({
      who: 'backend',
      action: 'revoke',
      outcome: 'done',
    });
  });

  it.each(
    Object.entries({
      'without a kind': { key: 'x' },
      'without a key': { kind: 'token' },
      'of an unknown kind': { kind: 'planet', key: 'x' },
      'of nothing': { kind: 'token', key: '' },
      'with a key of 257 characters': { kind: 'token', key: 'x'.repeat(257) },
      'that ends in seconds': { kind: 'token', key: 'x', until: 1_795_363_200 },
      'that no date can hold': { kind: 'token', key: 'x', until: 9e15 },
      'of a token, with a time for users': { kind: 'token', key: 'x', issuedBefore: 1_795_363_200_000 },
      'of a user, with a time in seconds': { kind: 'user', key: 'x', issuedBefore: 1_795_363_200 },
      'with roles': { kind: 'user', key: 'x', roles: [] },
    }),
  )('%s is none', async (_what, body) => {
    expect((await revoke(body)).status).toBe(422);
  });
});

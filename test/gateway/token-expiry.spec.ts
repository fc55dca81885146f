import { describe, expect, it } from 'vitest';
import { EXPIRY_GRACE_MS, ExpirySweep } from '../../src/sessions/expiry-sweep.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { fetch } from '../support/fetch.js';
import { connect, open } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const HOUR = 3_600;
const EXPIRED = { code: 4401, reason: 'Token expired' };

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

/** Lets so many seconds pass for the tokens, without waiting for them. */
function passTime({ app }: TestServer, exp: number, secondsLater: number): void {
  app.get(ExpirySweep, { strict: false }).sweep((exp + secondsLater) * 1_000);
}

describe('the end of a token', () => {
  const grace = EXPIRY_GRACE_MS / 1_000;

  it('closes its session with 4401 once 25 seconds have passed, and not before', async () => {
    await using server = await startTestServer();
    const exp = inSeconds(HOUR);
    await using client = await connect(server.url, { claims: { exp } });
    await using other = await connect(server.url, { claims: { exp: exp + 60 } });
    passTime(server, exp, grace - 1);
    expect(await client.request('echo', 'late')).toMatchObject({ data: 'late' });
    passTime(server, exp, grace + 1);
    expect(await client.closed).toEqual(EXPIRED);
    expect(await other.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('comes by itself, without anybody asking', async () => {
    await using server = await startTestServer();
    // Expired 24 seconds ago is too late to connect with, so the clock is turned forward by a token that is renewed.
    await using client = await connect(server.url);
    const sessions = server.app.get(SessionRegistry, { strict: false });
    const [session] = sessions.ofUser('alice');
    if (session) await sessions.renew(session, { ...session.principal, expiresAt: Date.now() - EXPIRY_GRACE_MS + 100 });
    expect(await client.closed).toEqual(EXPIRED);
  });

  it('never comes for a token without exp', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url, { claims: { exp: undefined } });
    await client.request('echo');
    passTime(server, inSeconds(0), 100 * 365 * 24 * HOUR);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('is put off by auth_refresh', async () => {
    await using server = await startTestServer();
    const exp = inSeconds(HOUR);
    await using client = await connect(server.url, { claims: { exp, roles: ['MEMBER'] } });
    const token = mintToken({ exp: exp + HOUR, roles: ['ADMIN'] });
    expect(await client.request('auth_refresh', { token })).toMatchObject({
      type: 'auth_refresh_reply',
      data: { expiresAt: (exp + HOUR) * 1_000 },
    });
    passTime(server, exp, grace + 60);
    expect(await client.request('hello')).toMatchObject({ data: { userId: 'alice', roles: ['ADMIN'] } });
    passTime(server, exp + HOUR, grace + 1);
    expect(await client.closed).toEqual(EXPIRED);
  });

  it.each([
    ['of another user', () => mintToken({ sub: 'bob' }), 'FORBIDDEN'],
    ['that is forged', () => mintToken({}, 'another-secret-with-enough-characters'), 'UNAUTHENTICATED'],
    ['that has expired itself', () => mintToken({ exp: inSeconds(-60) }), 'UNAUTHENTICATED'],
    ['that is none', () => '', 'VALIDATION_FAILED'],
  ])('is not put off by a token %s', async (_what, token, code) => {
    await using server = await startTestServer();
    const exp = inSeconds(HOUR);
    await using client = await connect(server.url, { claims: { exp } });
    expect(await client.request('auth_refresh', { token: token() })).toMatchObject({ type: 'error', id: 'r', code });
    passTime(server, exp, grace + 1);
    expect(await client.closed).toEqual(EXPIRED);
  });
});

describe('the log', () => {
  it.each(['info', 'trace'])('never holds a token, whatever becomes of its client (%s)', async (LOG_LEVEL) => {
    await using server = await startTestServer({ LOG_LEVEL });
    const good = mintToken();
    const forged = mintToken({}, 'another-secret-with-enough-characters');
    const expired = mintToken({ exp: inSeconds(-60) });
    for (const token of [good, forged, expired]) {
      for (const [url, protocols] of [
        [`${server.url}?token=${token}`, []],
        [server.url, ['v1.json', `bearer.${token}`]],
        [`${server.http.replace('http', 'ws')}/elsewhere?token=${token}`, []],
      ] as const) {
        await using client = open(url, { claims: false, protocols: [...protocols] });
        await Promise.race([client.closed, new Promise((resolve) => client.socket.once('open', resolve))]);
      }
      await fetch(`${server.http}/health?token=${token}`, { headers: { authorization: `Bearer ${token}` } });
      await fetch(`${server.http}/elsewhere?token=${token}`);
    }
    await using client = await connect(server.url);
    await client.request('auth_refresh', { token: good });
    await client.request('auth_refresh', { token: forged });
    await client.request(good, { token: good });

    const log = JSON.stringify([server.logLines, server.auditLines]);
    expect(server.logLines.length).toBeGreaterThan(3);
    expect(server.auditLines.length).toBeGreaterThan(9);
    for (const token of [good, forged, expired]) expect(log).not.toContain(token.split('.')[2]);
  });
});

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DEFINITIONS } from '../../config/definitions.js';
import { loadSettings } from '../../config/settings.js';
import { Bans } from '../../src/access/lists/bans.js';
import { AuditLog } from '../../src/observability/audit/audit-log.js';
import { AuditObserver } from '../../src/observability/audit/audit-observer.js';
import { SessionEvents } from '../../src/sessions/session-events.js';
import { UpgradeEvents } from '../../src/upgrade/upgrade-events.js';
import { api } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { connect, open, type ClientSetup } from '../support/test-client.js';
import { mintToken, startTestServer, TEST_SECRET, type TestServer } from '../support/test-server.js';

type Line = Record<string, unknown>;

const text = expect.any(String) as string;
const number = expect.any(Number) as number;

function linesOf(lines: readonly Line[], event: string): Line[] {
  return lines.filter((line) => line.event === event);
}

/** The one line of an event that there is, or comes. */
async function lineOf({ auditLines }: TestServer, event: string, fields: Line = {}): Promise<Line> {
  const isMeant = (line: Line): boolean =>
    line.event === event && Object.entries(fields).every(([name, value]) => line[name] === value);
  await eventually(`the audit has ${event}`, () => auditLines.some(isMeant));
  return auditLines.find(isMeant) ?? {};
}

async function refused(url: string, setup: ClientSetup): Promise<void> {
  await using client = open(url, setup);
  await client.closed;
}

/** One upgrade without a token, of bare bytes: a thousand of them are quick. */
function attempt(port: number, localAddress: string): Promise<void> {
  const request = `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ port, host: '127.0.0.1', localAddress }, () => socket.write(request));
    socket.once('data', () => socket.destroy());
    socket.once('close', () => resolve());
    socket.once('error', reject);
  });
}

describe('the audit log', () => {
  it('has a line for who was let in, with the token’s id and how it came, and one for the end', async () => {
    await using server = await startTestServer();
    const claims = { jti: 'token-1', roles: ['MEMBER'] };
    await using client = await connect(`${server.url}?q=a-query`, { claims, protocols: ['v1.json'] });
    const accepted = await lineOf(server, 'connection_accepted');
    expect(accepted).toEqual({
      level: 'info',
      time: text,
      node: 'test-node',
      event: 'connection_accepted',
      msg: 'audit',
      session: text,
      user: 'alice',
      address: '127.0.0.1',
      anonymous: false,
      protocol: 'v1.json',
      auth: 'required',
      credential: 'header',
      roles: ['MEMBER'],
      token: 'token-1',
      expires: text,
      path: '/ws',
    });
    expect(new Date(String(accepted.time)).toISOString()).toBe(accepted.time);
    client.socket.close(1000, 'a reason of the client');
    const { session } = accepted;
    expect(await lineOf(server, 'connection_closed')).toMatchObject({
      session,
      user: 'alice',
      code: 1000,
      durationMs: number,
    });

    const token = mintToken({ sub: 'bob' });
    await using bySubprotocol = await connect(server.url, { claims: false, protocols: ['v1.json', `bearer.${token}`] });
    await using byQuery = await connect(`${server.url}?token=${token}`, { claims: false });
    await eventually('both are there', () => linesOf(server.auditLines, 'connection_accepted').length === 3);
    const kinds = linesOf(server.auditLines, 'connection_accepted').map(({ credential }) => credential);
    expect(kinds).toEqual(['header', 'subprotocol', 'query']);
    const all = JSON.stringify(server.auditLines);
    for (const part of [...token.split('.'), 'a-query', 'a reason of']) expect(all).not.toContain(part);
    await Promise.all([bySubprotocol, byQuery].map((each) => each[Symbol.asyncDispose]()));
  });

  it('has a line for who was refused, with the reason, and nothing raw of the client', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_USER: '1' });
    await using first = await connect(server.url);
    await refused(server.url, {});
    await refused(`${server.url}?token=${mintToken({ exp: 1 })}`, { claims: false });
    await refused(server.url, { claims: false });
    await refused(server.url, { headers: { origin: 'http://elsewhere.example' } });
    await refused(`${server.http.replace('http', 'ws')}/${'x'.repeat(500)}?token=a-secret`, {});
    await using raw = await RawClient.upgrade(server.port, { headers: { Origin: 'http://\u009b2J.example' } });
    await raw.outcome();
    const told = linesOf(server.auditLines, 'connection_refused');
    expect(told.map(({ reason, user, credential, origin }) => [reason, user, credential, origin])).toEqual([
      ['too_many_of_user', 'alice', 'header', undefined],
      ['token_expired', undefined, 'query', undefined],
      ['unauthenticated', undefined, 'none', undefined],
      ['origin', undefined, 'header', 'http://elsewhere.example'],
      ['unknown_path', undefined, 'header', undefined],
      ['origin', undefined, 'none', expect.stringContaining('\\u{9b}') as string],
    ]);
    expect(told[4]?.path).toBe(`/${'x'.repeat(127)}…`);
    expect(told[0]).toMatchObject({ address: '127.0.0.1', path: '/ws' });
    expect(JSON.stringify(server.auditLines)).not.toContain('a-secret');
    await first[Symbol.asyncDispose]();
  });

  it('has a line for a refreshed token, a refused one, and each message that was not allowed, without its payload', async () => {
    await using server = await startTestServer({ BROADCAST_ROLES: 'ADMIN' });
    await using client = await connect(server.url, { claims: { jti: 'old', roles: ['ADMIN'] } });
    await client.request('auth_refresh', { token: mintToken({ jti: 'new', roles: ['MEMBER'] }) });
    await client.request('auth_refresh', { token: 'a-forged-token' });
    await client.request('broadcast', { text: 'a-payload' });
    await client.request('subscribe', { channel: 'user:somebody-else' });
    await client.request('echo', 'a-payload');
    await lineOf(server, 'message_refused', { type: 'subscribe' });
    const { auditLines } = server;
    expect(linesOf(auditLines, 'auth_refreshed')).toMatchObject([{ user: 'alice', formerToken: 'old', token: 'new' }]);
    expect(linesOf(auditLines, 'rights_changed')).toMatchObject([{ roles: ['MEMBER'], formerRoles: ['ADMIN'] }]);
    expect(linesOf(auditLines, 'auth_refresh_refused')).toMatchObject([{ user: 'alice', code: 'UNAUTHENTICATED' }]);
    expect(linesOf(auditLines, 'message_refused').map(({ type, code }) => [type, code])).toEqual([
      ['broadcast', 'FORBIDDEN'],
      ['subscribe', 'FORBIDDEN'],
    ]);
    const all = JSON.stringify(auditLines);
    for (const secret of ['a-payload', 'a-forged-token']) expect(all).not.toContain(secret);
  });

  it('has lines for what operators do: bans, sessions ended, calls and who had no right to call', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url, { claims: { sub: 'mallory' } });
    await api(server, 'POST /api/bans', {
      body: { kind: 'user', key: 'mallory', durationMs: 60_000, reason: 'a line\nbreak' },
    });
    await client.closed;
    await api(server, 'DELETE /api/bans/user/mallory');
    await api(server, 'GET /api/nodes', { token: 'a-bad-token' });
    expect(await lineOf(server, 'banned')).toMatchObject({
      kind: 'user',
      key: 'mallory',
      by: 'operator',
      reason: 'a line\\u{a}break',
      until: expect.stringMatching(/Z$/) as string,
    });
    expect(await lineOf(server, 'session_expelled')).toMatchObject({ user: 'mallory', address: '127.0.0.1' });
    expect(await lineOf(server, 'connection_closed')).toMatchObject({ user: 'mallory', code: 4409 });
    expect(await lineOf(server, 'ban_lifted')).toMatchObject({ kind: 'user', key: 'mallory' });
    expect(await lineOf(server, 'api_refused')).toMatchObject({ status: 401, address: '127.0.0.1' });
    const calls = linesOf(server.auditLines, 'api_call');
    expect(calls.map(({ who, action, target, outcome }) => [who, action, target, outcome])).toEqual([
      ['backend', 'ban', 'user mallory', 'done'],
      ['backend', 'lift-ban', 'user mallory', 'done'],
    ]);
    expect(JSON.stringify(server.auditLines)).not.toContain('a-bad-token');
  });

  it('has a line for an address that is banned for breaking a limit', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_IP: '1' });
    await using client = await connect(server.url);
    await refused(server.url, {});
    await eventually('it is banned', () => server.app.get(Bans, { strict: false }).activeCount === 1);
    await refused(server.url, {});
    expect(linesOf(server.auditLines, 'banned')).toMatchObject([
      { kind: 'address', key: '127.0.0.1', by: 'breach', reason: 'too_many_from_address' },
    ]);
    expect(linesOf(server.auditLines, 'connection_refused').map(({ reason }) => reason)).toEqual([
      'too_many_from_address',
      'banned',
    ]);
    await client[Symbol.asyncDispose]();
  });

  it('begins with all settings and no secret, and ends with the drain', async () => {
    const server = await startTestServer({
      ENCRYPTION_KEYS: `${'A'.repeat(43)}=`,
      JWT_ISSUER: 'an-issuer',
      AUTH_MODE: 'required',
    });
    await using client = await connect(server.url, { claims: { iss: 'an-issuer' } });
    await server.close();
    await client.closed;
    const [started = {}] = server.auditLines;
    expect(started).toMatchObject({ event: 'started', version: text, node: 'test-node' });
    expect(started.settings).toMatchObject({
      JWT_SECRET: '(secret)',
      ENCRYPTION_KEYS: '(secret)',
      JWT_ISSUER: 'an-issuer',
      AUTH_MODE: 'required',
      PORT: 0,
    });
    const names = Object.keys(started.settings as Line);
    expect(names.length).toBeGreaterThan(50);
    const known = Object.values(DEFINITIONS).flatMap((group) => Object.values(group).map(({ env }) => env));
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    const all = JSON.stringify(server.auditLines);
    for (const secret of [TEST_SECRET, 'AAAA']) expect(all).not.toContain(secret);
    const ends = server.auditLines.map(({ event }) => event).slice(-4);
    expect(ends).toEqual(['drain_begun', 'connection_closed', 'drain_finished', 'stopped']);
    expect(linesOf(server.auditLines, 'drain_begun')).toMatchObject([{ sessions: 1, reconnectWindowMs: number }]);
  });

  it('is bounded for one address that tries a thousand times, says how many lines it left out, and still has the others', async () => {
    const server = await startTestServer();
    for (let batch = 0; batch < 20; batch += 1) {
      await Promise.all(Array.from({ length: 50 }, () => attempt(server.port, '127.0.0.1')));
    }
    await attempt(server.port, '127.0.0.2');
    await server.close();
    const lines = linesOf(server.auditLines, 'connection_refused');
    const ofOne = lines.filter(({ address }) => address === '127.0.0.1');
    // A slow machine needs more than one period of ten seconds, but not for each few.
    expect(ofOne.length).toBeGreaterThanOrEqual(50);
    expect(ofOne.length).toBeLessThanOrEqual(500);
    expect(lines.filter(({ address }) => address === '127.0.0.2')).toHaveLength(1);
    const omissions = linesOf(server.auditLines, 'left_out');
    expect(omissions[0]).toMatchObject({ group: 'refusal', source: 'address 127.0.0.1', sources: 1 });
    const leftOut = omissions.reduce((sum, line) => sum + Number(line.leftOut), 0);
    expect(ofOne.length + leftOut).toBe(1_000);
  });

  it('is written whatever LOG_LEVEL says, and costs nothing where it is off', async () => {
    await using silent = await startTestServer({ LOG_LEVEL: 'silent' });
    await refused(silent.url, { claims: false });
    expect(silent.logLines).toEqual([]);
    expect(silent.auditLines.map(({ event }) => event)).toEqual(['started', 'connection_refused']);

    await using off = await startTestServer({ AUDIT_LOG: 'off', LOG_LEVEL: 'silent', ANOMALY_CONNECTIONS_PER_S: '0' });
    await refused(off.url, { claims: false });
    expect(off.auditLines).toEqual([]);
    expect(() => off.app.get(AuditLog, { strict: false })).toThrow();
    expect(() => off.app.get(AuditObserver, { strict: false })).toThrow();
    expect(off.app.get(UpgradeEvents, { strict: false }).listenerCount('accepted')).toBe(0);
    expect(off.app.get(SessionEvents, { strict: false }).listenerCount('refreshed')).toBe(0);
  });
});

describe('the audit file', () => {
  it('has the lines, one JSON object each, and the log has none of them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'audit.log');
    const server = await startTestServer({ AUDIT_FILE: file });
    await refused(server.url, { claims: false });
    await server.close();
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(lines.map(({ event }) => event)).toEqual([
      'started',
      'connection_refused',
      'drain_begun',
      'drain_finished',
      'stopped',
    ]);
    expect(lines[1]).toMatchObject({ level: 'info', node: 'test-node', reason: 'unauthenticated' });
    expect(server.auditLines).toEqual([]);
  });

  it.runIf(existsSync('/dev/full'))('on a full disk is a counter and one line, and the server goes on', async () => {
    const server = await startTestServer({ AUDIT_FILE: '/dev/full' });
    const before = await Scrape.of(server);
    await using client = await connect(server.url);
    for (let round = 0; round < 20; round += 1) await refused(server.url, { claims: false });
    expect(await client.request('echo', 1)).toMatchObject({ type: 'echo_reply', data: 1 });
    await eventually('it was tried again', async () => {
      const now = await Scrape.of(server);
      return now.since(before, 'gatehouse_audit_write_failures_total') > 0;
    });
    await server.close();
    expect(server.logLines.filter(({ msg }) => msg === 'cannot write the audit log')).toMatchObject([
      { level: 'error', file: '/dev/full', reason: 'ENOSPC' },
    ]);
  });

  it.each([
    ['/nowhere/at/all/audit.log', 'must name a file that can be written (/nowhere/at/all: ENOENT)'],
    ['/tmp', 'must name a file, not a folder'],
  ])('%s is an unusable setting', (file, fault) => {
    expect(() => loadSettings({ NODE_ENV: 'test', JWT_SECRET: TEST_SECRET, AUDIT_FILE: file })).toThrow(
      `AUDIT_FILE ${fault}`,
    );
  });
});

import { describe, expect, it } from 'vitest';
import type { Environment } from '../../config/settings.js';
import { Bans } from '../../src/access/lists/bans.js';
import { api } from '../support/api-client.js';
import { Scrape } from '../support/scrape.js';
import { connect, open, type Closed, type ClientSetup, type TestClient } from '../support/test-client.js';
import { startTestServer, TEST_SECRET, type TestServer } from '../support/test-server.js';

const PRODUCTION: Environment = { NODE_ENV: 'production', METRICS_ENABLED: 'on', LIMITS_EXEMPT_LOOPBACK: '' };

/** How the server closes a client; undefined: not at all. */
async function fate(server: TestServer, setup: ClientSetup = {}): Promise<Closed | undefined> {
  await using client = open(server.url, setup);
  client.socket.once('open', () => client.send({ type: 'echo', data: 1 }));
  return await client.next().then(
    () => undefined,
    () => client.closed,
  );
}

/** The moment that a close reason names. */
function endOf(reason: string | undefined): number {
  return Date.parse(/banned until (\S+)$/.exec(reason ?? '')?.[1] ?? '');
}

async function leave(clients: readonly TestClient[]): Promise<void> {
  for (const client of clients) await client[Symbol.asyncDispose]();
}

describe('a developer on the same machine', () => {
  it('opens twenty sockets at once, and sends far over the rate, without a ban', async () => {
    const limits = { CONNECTION_RATE_PER_IP: '10', MAX_CONNECTIONS_PER_IP: '20', LIMITS_EXEMPT_LOOPBACK: '' };
    await using server = await startTestServer(limits);
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(server.url)));
    for (const client of clients) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    // The number of connections holds all the same, without a ban.
    const expected = { code: 4001, reason: 'Too many connections, try again later' };
    expect(await fate(server)).toEqual(expected);
    expect(server.app.get(Bans, { strict: false }).activeCount).toBe(0);
    await leave(clients);
  });

  it('is banned by an operator all the same, and by a setting', async () => {
    await using server = await startTestServer({ LIMITS_EXEMPT_LOOPBACK: '' });
    const body = { kind: 'address', key: '127.0.0.1', durationMs: 60_000 };
    expect((await api(server, 'POST /api/bans', { body })).status).toBe(200);
    expect((await fate(server))?.reason).toMatch(/^Address banned until /);

    await using strict = await startTestServer({ LIMITS_EXEMPT_LOOPBACK: 'off', CONNECTION_RATE_PER_IP: '1' });
    await using client = await connect(strict.url);
    expect((await fate(strict))?.reason).toMatch(/banned until/);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('is not the one behind a trusted proxy on the same machine', async () => {
    const limits = { TRUST_PROXY: '1', CONNECTION_RATE_PER_IP: '1', LIMITS_EXEMPT_LOOPBACK: '' };
    await using server = await startTestServer(limits);
    const via = (address: string): ClientSetup => ({ headers: { 'x-forwarded-for': address } });
    expect(await fate(server, via('203.0.113.7'))).toBeUndefined();
    expect((await fate(server, via('203.0.113.7')))?.code).toBe(4001);
    for (const address of ['127.0.0.1', '::1', '127.3.2.1']) {
      expect([await fate(server, via(address)), await fate(server, via(address))]).toEqual([undefined, undefined]);
    }
  });
});

describe('in production', () => {
  it('an address that breaks a limit reads until when it is banned, then and on each try, and so does the log', async () => {
    await using server = await startTestServer({ ...PRODUCTION, JWT_SECRET: TEST_SECRET, CONNECTION_RATE_PER_IP: '1' });
    await using first = await connect(server.url);
    const before = Date.now();
    const breach = await fate(server);
    const again = await fate(server);
    expect([breach?.code, again?.code]).toEqual([4001, 4001]);
    expect(breach?.reason).toMatch(/^Too many connections, banned until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(again?.reason).toMatch(/^Address banned until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const [{ until = 0 } = {}] = ((await api(server, 'GET /api/bans')).body as { bans: { until?: number }[] }).bans;
    expect(endOf(breach?.reason)).toBe(endOf(again?.reason));
    expect(endOf(breach?.reason)).toBeGreaterThan(before + 59_000);
    expect(Math.abs(endOf(breach?.reason) - new Date(until).getTime())).toBeLessThan(1_001);

    const bannedUntil = breach?.reason.split(' ').at(-1);
    const lines = server.logLines.filter(({ msg }) => msg === 'address banned' || msg === 'upgrade refused');
    expect(lines).toMatchObject([
      { msg: 'address banned', level: 'warn', reason: 'connection_rate', address: '127.0.0.1', bannedUntil },
      { msg: 'upgrade refused', reason: 'connection_rate', bannedUntil },
      { msg: 'upgrade refused', reason: 'banned', bannedUntil },
    ]);
    expect((await Scrape.of(server)).value('websocket_bans_active')).toBe(1);
    expect(await first.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('a user whom an operator has banned reads it as well', async () => {
    await using server = await startTestServer({ ...PRODUCTION, JWT_SECRET: TEST_SECRET });
    const body = { kind: 'user', key: 'mallory', durationMs: 60_000 };
    expect((await api(server, 'POST /api/bans', { body })).status).toBe(200);
    const mallory = await fate(server, { claims: { sub: 'mallory' } });
    expect(mallory?.reason).toMatch(/^User banned until /);
    expect(await fate(server)).toBeUndefined();
  });

  it('a limit without a ban says nothing of one', async () => {
    const limits = { JWT_SECRET: TEST_SECRET, MAX_CONNECTIONS_PER_IP: '1', BAN_DURATION_MS: '0' };
    await using server = await startTestServer({ ...PRODUCTION, ...limits });
    await using first = await connect(server.url);
    expect((await fate(server))?.reason).toBe('Too many connections, try again later');
    expect(await first.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('a session that goes on over its message rate reads until when its address is banned', async () => {
    const limits = { JWT_SECRET: TEST_SECRET, MESSAGE_RATE: '1', MESSAGE_BURST: '1', RATE_ABUSE_BAN_AFTER: '1' };
    await using server = await startTestServer({ ...PRODUCTION, ...limits });
    await using greedy = await connect(server.url);
    const sending = setInterval(() => greedy.send({ type: 'echo', id: 1 }), 20);
    const { code, reason } = await greedy.closed.finally(() => clearInterval(sending));
    expect([code, reason]).toEqual([4001, expect.stringMatching(/^Too many messages, banned until .+Z$/)]);
  });
});

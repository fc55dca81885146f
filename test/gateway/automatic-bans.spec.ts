import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AccessEvents } from '../../src/access/access-events.js';
import { Bans } from '../../src/access/lists/bans.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { api } from '../support/api-client.js';
import { TOO_MANY } from '../support/closes.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, open, type Closed, type ClientSetup, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const MINUTE_MS = 60_000;
const TOO_MANY_MESSAGES = {
  code: 4001,
  reason: expect.stringMatching(/^Too many messages, (?:try again later|banned until .+Z)$/),
};

const via = (forwarded: string): ClientSetup => ({ headers: { 'x-forwarded-for': forwarded } });

/** Sends on and on over the rate until the connection closes. */
async function flood(client: TestClient): Promise<Closed> {
  const sending = setInterval(() => {
    for (let n = 0; n < 5; n += 1) client.send({ type: 'echo', id: n });
  }, 50);
  return client.closed.finally(() => clearInterval(sending));
}

/** How the server closes somebody who connects from there; undefined: not at all. */
async function fate(server: TestServer, setup: ClientSetup): Promise<Closed | undefined> {
  await using client = open(server.url, setup);
  client.socket.once('open', () => client.send({ type: 'echo', data: 1 }));
  // Awaited here: otherwise it would be cut off before it is known.
  return await client.next().then(
    () => undefined,
    () => client.closed,
  );
}

describe('a session that goes on and on over its message rate', () => {
  it('is closed with 4001 and its address banned, until an operator lifts that', async () => {
    const settings = { MESSAGE_RATE: '1', MESSAGE_BURST: '5', RATE_ABUSE_BAN_AFTER: '20' };
    await using server = await startTestServer(settings);
    const before = await Scrape.of(server);
    await using greedy = await connect(server.url);
    await using bystander = await connect(server.url);
    expect(await flood(greedy)).toEqual(TOO_MANY_MESSAGES);
    expect(greedy.unread.filter(({ code }) => code === 'RATE_LIMIT_EXCEEDED').length).toBeGreaterThan(20);
    expect(await fate(server, {})).toEqual(TOO_MANY);
    expect(await bystander.request('echo', 1)).toMatchObject({ data: 1 });

    const ban = { kind: 'address', key: '127.0.0.1', reason: 'message_rate', by: 'breach', offences: 1 };
    expect((await api(server, 'GET /api/bans')).body).toMatchObject({ bans: [ban], total: 1 });
    const after = await Scrape.of(server);
    expect(after.since(before, 'websocket_bans_total{reason="message_rate"}')).toBe(1);
    expect(after.since(before, 'websocket_breaches_total{reason="too_many_messages"}')).toBe(1);
    expect((await api(server, 'DELETE /api/bans/address/127.0.0.1')).status).toBe(204);
    expect(await fate(server, {})).toBeUndefined();
  });

  it('is slowed and not closed where messages are throttled, and answered on and on where RATE_ABUSE_BAN_AFTER is 0', async () => {
    for (const setting of [{ RATE_LIMIT_MODE: 'throttle', RATE_ABUSE_BAN_AFTER: '1' }, { RATE_ABUSE_BAN_AFTER: '0' }]) {
      await using server = await startTestServer({ MESSAGE_RATE: '20', MESSAGE_BURST: '5', ...setting });
      await using client = await connect(server.url);
      for (let round = 0; round < 12; round += 1) {
        for (let n = 0; n < 10; n += 1) client.send({ type: 'echo', id: n });
        await pause(100);
      }
      const [session] = server.app.get(SessionRegistry, { strict: false });
      expect(session?.connection.isOpen).toBe(true);
      expect(server.app.get(Bans, { strict: false }).activeCount).toBe(0);
    }
  });
});

describe('an address that breaks a limit again as soon as its ban is over', () => {
  it('is banned twice as long each time', async () => {
    using clock = new StoppedClock();
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_IP: '1', BAN_DURATION_MS: String(MINUTE_MS) });
    await using first = await connect(server.url);
    const bans: { readonly offences: number | undefined; readonly minutes: number }[] = [];
    server.app
      .get(AccessEvents, { strict: false })
      .on('banned', ({ offences, until }) => bans.push({ offences, minutes: (until - Date.now()) / MINUTE_MS }));
    for (const [offences, minutes] of [1, 2, 4, 8].map((length, index) => [index + 1, length] as const)) {
      expect(await fate(server, {})).toEqual(TOO_MANY);
      await eventually('it is banned', () => bans.length === offences);
      expect(bans.at(-1)).toEqual({ offences, minutes });
      expect(await fate(server, {})).toEqual(TOO_MANY);
      clock.pass(minutes * MINUTE_MS);
    }
    expect(await first.request('echo', 1)).toMatchObject({ data: 1 });
  });
});

describe('an exempt address', () => {
  const EXEMPT = '203.0.113.7';
  const LIMITS = {
    TRUST_PROXY: '1',
    LIMITS_EXEMPT_ADDRESSES: '203.0.113.0/24, 2001:db8:1:2::1',
    CONNECTION_RATE_PER_IP: '2',
    MAX_CONNECTIONS_PER_IP: '1',
    MESSAGE_RATE_PER_IP: '1',
  };

  it('is held to no limit of an address and never banned for one; others are', async () => {
    await using server = await startTestServer(LIMITS);
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect(server.url, via(EXEMPT))));
    for (const client of clients) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    await using stranger = await connect(server.url, via('198.51.100.1'));
    expect(await fate(server, via('198.51.100.1'))).toEqual(TOO_MANY);
    await eventually('it is banned', () => server.app.get(Bans, { strict: false }).activeCount === 1);
    expect((await api(server, 'GET /api/bans')).body).toMatchObject({ bans: [{ key: '198.51.100.1' }], total: 1 });
    expect(await stranger.request('echo', 1)).toMatchObject({ data: 1 });
    for (const client of clients) await client[Symbol.asyncDispose]();
    await eventually('they have left', () => server.app.get(SessionRegistry, { strict: false }).size === 1);
  });

  it('does not make its whole /64 exempt, and is not banned with it', async () => {
    await using server = await startTestServer(LIMITS);
    await using neighbour = await connect(server.url, via('2001:db8:1:2::2'));
    expect(await fate(server, via('2001:db8:1:2::3'))).toEqual(TOO_MANY);
    await eventually('it is banned', () => server.app.get(Bans, { strict: false }).activeCount === 1);
    expect(await fate(server, via('2001:db8:1:2::4'))).toEqual(TOO_MANY);
    expect(await fate(server, via('2001:db8:1:2::1'))).toBeUndefined();
    expect(await fate(server, via('2001:db8:1:2::1'))).toBeUndefined();
    expect(await neighbour.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('is held to the limits of the node, the user and the session, and to an operator’s ban', async () => {
    const limits = {
      MAX_CONNECTIONS: '2',
      MAX_CONNECTIONS_PER_USER: '1',
      MESSAGE_RATE: '1',
      RATE_ABUSE_BAN_AFTER: '3',
    };
    await using server = await startTestServer({ ...LIMITS, ...limits });
    await using alice = await connect(server.url, via(EXEMPT));
    expect(await fate(server, via(EXEMPT))).toEqual(TOO_MANY);
    await using bob = await connect(server.url, { ...via(EXEMPT), claims: { sub: 'bob' } });
    expect((await fate(server, { ...via(EXEMPT), claims: { sub: 'carol' } }))?.code).toBe(1013);
    expect(await flood(alice)).toEqual(TOO_MANY_MESSAGES);
    expect(await fate(server, via(EXEMPT))).toBeUndefined();

    const body = { kind: 'address', key: EXEMPT, durationMs: 60_000 };
    expect((await api(server, 'POST /api/bans', { body })).status).toBe(200);
    expect(await fate(server, via(EXEMPT))).toEqual(TOO_MANY);
    expect(bob.socket.readyState).toBe(bob.socket.OPEN);
  });
});

describe('exempt addresses that are none', () => {
  it.each(['203.0.113.300', '10.0.0.0/33', '2001:db8::/129', '10.0.0.0/0', 'everybody'])(
    'stop the start: %s',
    async (entry) => {
      await expect(startTestServer({ LIMITS_EXEMPT_ADDRESSES: `127.0.0.1,${entry}` })).rejects.toThrow(
        /LIMITS_EXEMPT_ADDRESSES must be a list of addresses/,
      );
    },
  );
});

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Bans } from '../../src/access/lists/bans.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { Issuer } from '../unit/authentication/issuer.js';
import { RSA, sign } from '../unit/authentication/tokens.js';
import { TOO_MANY } from '../support/closes.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, open, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const AT_CAPACITY = { code: 1013, reason: 'Server at capacity, try again later' };

function sessionsOf({ app }: TestServer): SessionRegistry {
  return app.get(SessionRegistry, { strict: false });
}

/** Closes a client and waits until the server knows. */
async function leave(server: TestServer, client: TestClient): Promise<void> {
  const closed = once(sessionsOf(server).events, 'closed');
  client.socket.close();
  await closed;
}

/** How many of so many simultaneous clients are let in, and how the others were closed. */
async function rush(url: string, count: number, claims: (index: number) => Record<string, unknown>) {
  const clients = Array.from({ length: count }, (_, index) => open(url, { claims: claims(index) }));
  // A client is in once its echo is answered: a refused one is "open" too, for the moment before its close frame.
  const fates = await Promise.all(
    clients.map((client) => {
      client.socket.once('open', () => client.send({ type: 'echo', data: 1 }));
      return Promise.race([
        client.next().then(
          () => 'in' as const,
          () => client.closed,
        ),
        client.closed,
      ]);
    }),
  );
  return {
    clients,
    letIn: fates.filter((fate) => fate === 'in').length,
    refused: fates.filter((fate) => fate !== 'in'),
  };
}

describe('the rate of one address', () => {
  it('lets so many in a second connect, closes the next with 4001 and bans it', async () => {
    using _ = new StoppedClock();
    await using server = await startTestServer({ CONNECTION_RATE_PER_IP: '3' });
    const earlier = await Scrape.of(server);
    const { clients, letIn, refused } = await rush(server.url, 5, () => ({}));
    expect([letIn, refused]).toEqual([3, [TOO_MANY, TOO_MANY]]);

    const later = await Scrape.of(server);
    const refusedAs = (reason: string): number =>
      later.since(earlier, `websocket_connections_refused_total{reason="${reason}"}`);
    expect([refusedAs('connection_rate'), refusedAs('banned')]).toEqual([1, 1]);
    expect(later.value('websocket_bans_active')).toBe(1);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });
});

describe('a ban', () => {
  it('spares the connections that are open, and ends', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_IP: '1', BAN_DURATION_MS: '60000' });
    using clock = new StoppedClock();
    await using first = await connect(server.url);
    await using refused = open(server.url);
    expect(await refused.closed).toEqual(TOO_MANY);
    await eventually('it is banned', () => server.app.get(Bans, { strict: false }).activeCount === 1);
    expect(await first.request('echo', 1)).toMatchObject({ data: 1 });
    await leave(server, first);

    await using still = open(server.url);
    expect(await still.closed).toEqual(TOO_MANY);
    clock.pass(60_000);
    expect((await rush(server.url, 1, () => ({}))).letIn).toBe(1);
    expect((await Scrape.of(server)).value('websocket_bans_active')).toBe(0);
  });

  it('is not imposed where BAN_DURATION_MS is 0', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_IP: '1', BAN_DURATION_MS: '0' });
    await using first = await connect(server.url);
    await using refused = open(server.url);
    expect(await refused.closed).toEqual(TOO_MANY);
    await leave(server, first);
    await using again = await connect(server.url);
    expect(await again.request('echo', 1)).toMatchObject({ data: 1 });
  });
});

describe('so many that connect at the same moment', () => {
  it.each([
    ['MAX_CONNECTIONS_PER_IP', TOO_MANY, () => ({})],
    ['MAX_CONNECTIONS_PER_USER', TOO_MANY, () => ({})],
    ['MAX_CONNECTIONS', AT_CAPACITY, (index: number) => ({ sub: `user-${index}` })],
  ])('do not pass %s together', async (setting, close, claims) => {
    await using server = await startTestServer({ [setting]: '5' });
    const { letIn, refused, clients } = await rush(server.url, 20, claims);
    expect(letIn).toBe(5);
    expect(refused).toEqual(Array.from({ length: 15 }, () => close));
    expect(sessionsOf(server).size).toBe(5);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });
});

describe('a full server', () => {
  it.each(['MAX_CONNECTIONS', 'MAX_CONNECTIONS_PER_USER'])(
    'has room again when somebody has left, and has banned nobody (%s)',
    async (setting) => {
      await using server = await startTestServer({ [setting]: '1' });
      for (let round = 0; round < 3; round += 1) {
        await using client = await connect(server.url);
        await using refused = open(server.url);
        expect(await refused.closed).toEqual(setting === 'MAX_CONNECTIONS' ? AT_CAPACITY : TOO_MANY);
        await leave(server, client);
      }
      expect((await Scrape.of(server)).value('websocket_bans_active')).toBe(0);
    },
  );

  it('gives back the places of clients that it refused for another reason', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS: '1', MAX_CONNECTIONS_PER_IP: '1' });
    for (const setup of [{ claims: false as const }, { protocols: ['soap'] }, { origin: 'https://evil.example' }]) {
      await using refused = open(server.url, setup);
      await refused.closed;
    }
    await using client = await connect(server.url);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('counts the sessions of each user on their own', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_USER: '1' });
    await using alice = await connect(server.url, { claims: { sub: 'alice' } });
    await using bob = await connect(server.url, { claims: { sub: 'bob' } });
    expect(sessionsOf(server).size).toBe(2);
    for (const client of [alice, bob]) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });
});

describe('upgrades whose token is still being checked', () => {
  it('are bounded by MAX_PENDING_UPGRADES, and give their places back when their clients hang up', async () => {
    await using issuer = await Issuer.start();
    const answers: (() => void)[] = [];
    issuer.answer = (response) => void answers.push(() => response.end('{"keys":[]}'));
    await using server = await startTestServer({ JWT_SECRET: '', JWT_JWKS_URL: issuer.url, MAX_PENDING_UPGRADES: '2' });
    const headers = { authorization: `Bearer ${await sign({ alg: 'RS256', key: RSA.privateKey, kid: 'k1' })}` };
    const waiting = [0, 1].map(() => open(server.url, { headers }));
    await eventually('the third is one too many', async () => {
      await using third = open(server.url, { headers, handshakeTimeout: 200 });
      return (await third.closed).code === AT_CAPACITY.code;
    });
    waiting[0]?.socket.terminate();
    answers.forEach((answer) => answer());
    expect((await waiting[1]?.closed)?.code).toBe(4403);

    // Both places are free again: nobody is refused because the server is full.
    const before = await Scrape.of(server);
    await using later = open(server.url, { headers });
    await later.closed;
    expect((await Scrape.of(server)).since(before, 'websocket_connections_refused_total{reason="at_capacity"}')).toBe(
      0,
    );
  });
});

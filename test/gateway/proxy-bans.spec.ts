import { describe, expect, it, onTestFinished } from 'vitest';
import { PlaceCheck } from '../../src/access/limits/place-check.js';
import { Bans } from '../../src/access/lists/bans.js';
import { api } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, open, type Closed, type ClientSetup, type TestClient } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const REFUSED: Closed = { code: 4001, reason: 'Too many connections, try again later' };
const BANNED = { code: 4001, reason: expect.stringMatching(/banned until/) };
const MINUTE_MS = 60_000;

const via = (forwarded: string): ClientSetup => ({ headers: { 'x-forwarded-for': forwarded } });
/** A client that the proxies name. With two of them, the outer one is named by the inner one. */
const named = (address: string, trusted: string): ClientSetup =>
  via(trusted === '2' ? `${address}, 10.0.0.9` : address);
const UNNAMED: readonly [what: string, ClientSetup][] = [
  ['no header', {}],
  ['an empty header', via('')],
  ['unknown', via('unknown')],
  ['garbage', via('<script>')],
];
const TRUSTED = ['loopback', '127.0.0.1', '10.0.0.0/8, 127.0.0.0/8', '1', '2'];

const server = (TRUST_PROXY: string, settings: Record<string, string> = {}): Promise<TestServer> =>
  startTestServer({ TRUST_PROXY, LIMITS_EXEMPT_LOOPBACK: 'off', ...settings });
const bansOf = ({ app }: TestServer): Bans => app.get(Bans, { strict: false });
const bannedBy = async (one: TestServer): Promise<string[]> => (await bansOf(one).list()).map(({ key }) => key);

/** How the server closes somebody; undefined: it answers instead. */
async function fateOf(client: TestClient): Promise<Closed | undefined> {
  client.socket.once('open', () => client.send({ type: 'echo', data: 1 }));
  return client.next().then(
    () => undefined,
    () => client.closed,
  );
}

/** Connects so many at once, and leaves those that are let in. */
async function fates(one: TestServer, setup: ClientSetup, count: number): Promise<(Closed | undefined)[]> {
  const clients = Array.from({ length: count }, () => open(one.url, setup));
  const all = await Promise.all(clients.map(fateOf));
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  return all;
}

/** Whatever was to be checked before is checked by then. */
async function banStranger(one: TestServer, setup: ClientSetup): Promise<void> {
  await using stranger = await connect(one.url, setup);
  expect(await fates(one, setup, 1)).toEqual([REFUSED]);
  await eventually('the stranger is banned', () => bansOf(one).isBanned('address', '198.51.100.1'));
  expect(await stranger.request('echo', 1)).toMatchObject({ data: 1 });
}

/** Rates do not recover while a test runs, however slow it is. */
const stopTime = (): void => {
  const clock = new StoppedClock();
  onTestFinished(() => clock[Symbol.dispose]());
};

describe.each(TRUSTED)('a proxy that TRUST_PROXY=%s trusts and that names no client', (trusted) => {
  it.each(UNNAMED)('is refused over its connection rate and not banned: %s', async (_what, setup) => {
    stopTime();
    await using one = await server(trusted, { CONNECTION_RATE_PER_IP: '3' });
    const refused = (await fates(one, setup, 10)).filter((closed) => closed !== undefined);
    expect(refused).toEqual(Array.from({ length: 7 }, () => REFUSED));
    expect(await bannedBy(one)).toEqual([]);
    expect(await fates(one, named('203.0.113.7', trusted), 1)).toEqual([undefined]);
  });

  it('is refused beyond its places and not banned', async () => {
    await using one = await server(trusted, { MAX_CONNECTIONS_PER_IP: '1' });
    await using first = await connect(one.url);
    expect(await fates(one, {}, 3)).toEqual([REFUSED, REFUSED, REFUSED]);
    await banStranger(one, named('198.51.100.1', trusted));
    expect(await bannedBy(one)).toEqual(['198.51.100.1']);
    expect(one.app.get(PlaceCheck, { strict: false }).sparedCount).toBe(0);
    expect(await fates(one, {}, 1)).toEqual([REFUSED]);
    expect(await first.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('is not banned for a session that floods', async () => {
    await using one = await server(trusted, { MESSAGE_RATE: '1', MESSAGE_BURST: '5', RATE_ABUSE_BAN_AFTER: '20' });
    await using greedy = await connect(one.url);
    const sending = setInterval(() => {
      for (let n = 0; n < 5; n += 1) greedy.send({ type: 'echo', id: n });
    }, 50);
    const closed = await greedy.closed.finally(() => clearInterval(sending));
    expect(closed).toEqual({ code: 4001, reason: 'Too many messages, try again later' });
    expect(await bannedBy(one)).toEqual([]);
    expect(await fates(one, {}, 1)).toEqual([undefined]);
  });

  it('is kept out by an operator', async () => {
    await using one = await server(trusted);
    const body = { kind: 'address', key: '127.0.0.1', durationMs: MINUTE_MS };
    expect((await api(one, 'POST /api/bans', { body })).status).toBe(200);
    expect(await fates(one, {}, 2)).toEqual([BANNED, BANNED]);
    expect(await fates(one, named('203.0.113.7', trusted), 1)).toEqual([undefined]);
  });
});

describe('a proxy behind a proxy', () => {
  it.each([
    ['loopback,10.0.0.0/8', 'unknown, 10.0.0.9'],
    ['loopback,10.0.0.0/8', '10.0.0.9'],
    ['2', 'unknown, 10.0.0.9'],
    ['2', '10.0.0.9'],
  ])('is not banned, and a client that it names is: %s', async (trusted, forwarded) => {
    stopTime();
    await using one = await server(trusted, { CONNECTION_RATE_PER_IP: '3' });
    expect(await fates(one, via(forwarded), 10)).toContainEqual(REFUSED);
    expect(await bannedBy(one)).toEqual([]);
    expect(await fates(one, via('203.0.113.7, 10.0.0.9'), 10)).toContainEqual(BANNED);
    expect(await bannedBy(one)).toEqual(['203.0.113.7']);
  });

  it('is not banned with its /64, which it shares with clients', async () => {
    stopTime();
    await using one = await server('loopback,2001:db8:1:2::1', { CONNECTION_RATE_PER_IP: '3' });
    expect(await fates(one, via('2001:db8:1:2::2'), 10)).toContainEqual(BANNED);
    expect(await bannedBy(one)).toEqual(['2001:db8:1:2::/64']);
    expect(await fates(one, via('2001:db8:1:2::3'), 1)).toEqual([BANNED]);
    expect(await fates(one, via('2001:db8:1:2::1'), 1)).toEqual([undefined]);
  });
});

describe('an address that TRUST_PROXY does not name', () => {
  it.each(['', '10.0.0.0/8'])('is banned as before: "%s"', async (trusted) => {
    stopTime();
    await using one = await server(trusted, { CONNECTION_RATE_PER_IP: '3' });
    expect(await fates(one, via('unknown'), 10)).toContainEqual(BANNED);
    expect(await bannedBy(one)).toEqual(['127.0.0.1']);
  });
});

describe('a trusted proxy of several nodes', () => {
  it('is refused beyond its places on all of them, and not banned', async () => {
    const settings = { TRUST_PROXY: 'loopback', LIMITS_EXEMPT_LOOPBACK: 'off', MAX_CONNECTIONS_PER_IP: '1' };
    await using nodes = await TestNodes.start(['a', 'b'], settings);
    await using first = await connect(nodes.at(0).url);
    expect(await fates(nodes.at(1), {}, 2)).toEqual([REFUSED, REFUSED]);
    await banStranger(nodes.at(1), via('198.51.100.1'));
    expect(await bannedBy(nodes.at(1))).toEqual(['198.51.100.1']);
    expect(await first.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('is not kept out by the ban of a node that does not know it for one', async () => {
    await using nodes = await TestNodes.start(['a', 'b'], { TRUST_PROXY: 'loopback', LIMITS_EXEMPT_LOOPBACK: 'off' });
    nodes.get(0, Bans).breach('127.0.0.1', 'connection_rate');
    await eventually('the other knows of it', () => nodes.get(1, Bans).activeCount === 1);
    for (const index of [0, 1]) expect(await fates(nodes.at(index), {}, 1)).toEqual([undefined]);
  });
});

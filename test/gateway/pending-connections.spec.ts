import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { PendingConnections } from '../../src/upgrade/pending/pending-connections.js';
import { CertificateFolder, makeCertificate } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const CUT = (reason: string): string => `gatehouse_http_cut_total{reason="${reason}"}`;
const REQUEST = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
const bearer = () => ({ Authorization: `Bearer ${mintToken()}` });

function guests({ app }: TestServer): number {
  return app.get(PendingConnections, { strict: false }).size;
}

async function speaks(port: number, bytes: string): Promise<RawClient> {
  const client = await RawClient.connect(port);
  client.socket.write(bytes);
  return client;
}

/** Sends a byte now and then until the connection ends; its `closed` resolves then. */
function trickle({ socket }: RawClient, bytes: string): void {
  let position = 0;
  const timer = setInterval(() => socket.write(bytes[position++ % bytes.length] ?? ''), 40);
  socket.on('close', () => clearInterval(timer));
}

/** So long that no starved client misses it: time passes only where a test lets it. */
const PATIENT = { UPGRADE_TIMEOUT_MS: '60000' };
let clock: StoppedClock;

/** Lets time pass for those at the door, a second in a few milliseconds, until what is to come of it has come. */
async function meanwhile<T>(event: Promise<T>): Promise<T> {
  const flow = setInterval(() => clock.pass(1_000), 5);
  return event.finally(() => clearInterval(flow));
}

describe('a connection that brings no request in time', () => {
  let server: TestServer;
  beforeEach(() => void (clock = new StoppedClock()));
  afterEach(() => clock[Symbol.dispose]());
  beforeAll(async () => {
    server = await startTestServer(PATIENT);
  });
  afterAll(() => server.close());

  it.each<[string, string, string]>([
    ['and says nothing', '', ''],
    ['and sends one byte of a header after the other', 'GET /ws HTTP/1.1\r\nX: ', 'x'],
    ['and sends one header after the other', 'GET /ws HTTP/1.1\r\n', 'A: b\r\n'],
    ['and sends empty lines', '', '\r\n'],
  ])('%s is cut off with 408, and counted', async (_how, first, then) => {
    const earlier = await Scrape.of(server);
    await using client = await speaks(server.port, first);
    if (then !== '') trickle(client, then);
    expect((await meanwhile(client.answer())).status).toBe(408);
    await client.closed();
    const later = await Scrape.of(server);
    expect(later.since(earlier, CUT('request_timeout'))).toBe(1);
    expect(server.logLines.at(-1)).toMatchObject({ reason: 'request_timeout', address: '127.0.0.1' });
  });

  it('is cut off as well where it has been answered before and trickles empty lines', async () => {
    const earlier = await Scrape.of(server);
    await using client = await speaks(server.port, REQUEST);
    expect((await client.answer()).status).toBe(200);
    trickle(client, '\r\n');
    await meanwhile(client.closed());
    expect((await Scrape.of(server)).since(earlier, CUT('request_timeout'))).toBe(1);
  });

  it('is let go and not counted where it was answered and asks for nothing more', async () => {
    const earlier = await Scrape.of(server);
    await using client = await speaks(server.port, REQUEST);
    expect((await client.answer()).status).toBe(200);
    await meanwhile(client.closed());
    expect((await Scrape.of(server)).since(earlier, CUT('request_timeout'))).toBe(0);
  });

  it('costs a session nothing: that may stay silent', async () => {
    await using quiet = await connect(server.url);
    await using cut = await speaks(server.port, '');
    await meanwhile(cut.closed());
    expect(await quiet.request('echo', 1)).toMatchObject({ data: 1 });
    expect(server.app.get(SessionRegistry, { strict: false }).size).toBe(1);
  });

  it('leaves nothing behind', async () => {
    const client = await speaks(server.port, 'GET /ws HTTP/1.1\r\n');
    client.socket.resetAndDestroy();
    await client.closed();
    await eventually('nobody is at the door', () => guests(server) === 0);
  });
});

describe('a connection that brings no TLS in time', () => {
  it.each<[string, Buffer]>([
    ['and says nothing', Buffer.alloc(0)],
    ['and begins a handshake', Buffer.from('160301', 'hex')],
  ])('%s is cut off without a word, and counted', async (_how, bytes) => {
    using files = new CertificateFolder(await makeCertificate());
    await using server = await startTestServer({ ...files.environment, ...PATIENT });
    await using session = await connect(server.url, { rejectUnauthorized: false });
    using stopped = new StoppedClock();
    clock = stopped;
    await using client = await RawClient.connect(server.port);
    client.socket.write(bytes);
    await meanwhile(client.closed());
    expect(client.socket.bytesRead).toBe(0);
    expect(await session.request('echo', 1)).toMatchObject({ data: 1 });
    expect(guests(server)).toBe(0);
    const lines = server.logLines.filter(({ reason }) => reason !== undefined);
    expect(lines).toMatchObject([{ reason: 'request_timeout', address: '127.0.0.1' }]);
  });

  it('and hangs up in its handshake is told of once, with its address', async () => {
    using files = new CertificateFolder(await makeCertificate());
    await using server = await startTestServer(files.environment);
    await using client = await speaks(server.port, '\x16\x03\x01');
    client.socket.end();
    await client.closed();
    const lines = (): object[] => server.logLines.filter(({ reason }) => reason !== undefined);
    await eventually('it is told', () => lines().length > 0);
    expect(lines()).toMatchObject([{ reason: 'hung_up', address: '127.0.0.1' }]);
  });
});

describe('a request that is too much', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it.each<[string, string, number, string]>([
    ['a URL of 100 KB', `GET /ws?token=${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`, 431, 'head_too_large'],
    ['a token of 20 KB', `GET /ws HTTP/1.1\r\nAuthorization: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'head_too_large'],
    ['a head that never ends', `GET /ws HTTP/1.1\r\n${'A: b\r\n'.repeat(20_000)}`, 431, 'head_too_large'],
    [
      'a thousand headers',
      `GET /health HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(1_000)}\r\n`,
      431,
      'too_many_headers',
    ],
    ['no HTTP', `\x16\x03\x01${'\0'.repeat(100)}`, 400, 'malformed_request'],
  ])('%s is answered, counted, and ends the connection', async (_what, bytes, status, reason) => {
    const earlier = await Scrape.of(server);
    await using client = await speaks(server.port, bytes);
    expect((await client.answer()).status).toBe(status);
    client.socket.end();
    await client.closed();
    expect((await Scrape.of(server)).since(earlier, CUT(reason))).toBe(1);
  });

  it.each<[string, Record<string, string>, string]>([
    ['a thousand subprotocols', { 'Sec-WebSocket-Protocol': names(1_000).join(', ') }, 'bad_subprotocols'],
    ['a token of 12 KB', { Authorization: `Bearer ey${'x'.repeat(12_000)}` }, 'invalid_token'],
  ])('%s is refused and counted', async (_what, headers, reason) => {
    const earlier = await Scrape.of(server);
    await using client = await RawClient.upgrade(server.port, { headers: { ...bearer(), ...headers } });
    await client.outcome();
    const refused = `websocket_connections_refused_total{reason="${reason}"}`;
    expect((await Scrape.of(server)).since(earlier, refused)).toBe(1);
  });

  it('is refused in a time that grows with its length, not with its square', async () => {
    const spent = async (count: number): Promise<number> => {
      const before = process.cpuUsage();
      for (let round = 0; round < 8; round += 1) {
        const protocols = names(count).join(',');
        await using client = await RawClient.upgrade(server.port, { headers: { 'Sec-WebSocket-Protocol': protocols } });
        await client.outcome();
      }
      return process.cpuUsage(before).user;
    };
    await spent(10);
    // Ten times as many are at most ten times the work, and much less by what each request costs anyway.
    expect(await spent(3_000)).toBeLessThan(10 * (await spent(300)) + 100_000);
  });
});

describe('those who are connected and no session', () => {
  it('have a number for each address, and sessions do not count', async () => {
    await using server = await startTestServer({ MAX_HTTP_CONNECTIONS_PER_IP: '3' });
    const sessions = [await connect(server.url), await connect(server.url), await connect(server.url)];
    await eventually('they are sessions', () => guests(server) === 0);
    const idle = await Promise.all([1, 2, 3].map(() => speaks(server.port, '')));
    await eventually('they are seen', () => guests(server) === 3);
    await expect(connect(server.url)).rejects.toThrow(/ECONNRESET|socket hang up/);
    for (const client of idle) client.socket.destroy();
    await eventually('there is room again', () => guests(server) === 0);

    const scrape = await Scrape.of(server);
    expect(scrape.value(CUT('too_many_waiting_from_address'))).toBeGreaterThanOrEqual(1);
    expect(scrape.value('gatehouse_http_connections')).toBe(1);
    expect(server.logLines.at(-1)).toMatchObject({ reason: 'too_many_waiting_from_address', address: '127.0.0.1' });
    for (const client of sessions) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    for (const client of sessions) await client[Symbol.asyncDispose]();
  });

  it.runIf(process.platform === 'linux')('are told apart where one port connects to several addresses', async () => {
    await using server = await startTestServer({ HOST: '0.0.0.0', MAX_HTTP_CONNECTIONS_PER_IP: '2' });
    for (let round = 0; round < 3; round += 1) {
      const first = netConnect({ port: server.port, host: '127.0.0.1', localAddress: '127.0.0.1' });
      await once(first, 'connect');
      const { localPort = 0 } = first;
      const second = netConnect({ port: server.port, host: '127.0.0.2', localAddress: '127.0.0.1', localPort });
      await once(second, 'connect');
      await eventually('both are seen', () => guests(server) === 2);
      first.destroy();
      await eventually('one has left', () => guests(server) === 1);
      second.destroy();
      await eventually('both have left', () => guests(server) === 0);
    }
    await using client = await connect(server.url);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('have no number where they come from a proxy that is trusted', async () => {
    await using server = await startTestServer({ MAX_HTTP_CONNECTIONS_PER_IP: '1', TRUST_PROXY: '127.0.0.1' });
    const clients = [await speaks(server.port, ''), await speaks(server.port, '')];
    await eventually('both are there', () => guests(server) === 2);
    for (const client of clients) client.socket.destroy();
  });

  it('have a number together, beyond which whoever waits longest makes room', async () => {
    await using server = await startTestServer({ MAX_HTTP_CONNECTIONS: '2', MAX_HTTP_CONNECTIONS_PER_IP: '0' });
    const first = await speaks(server.port, '');
    await eventually('the first is seen', () => guests(server) === 1);
    await using second = await speaks(server.port, 'GET /ws HTTP/1.1\r\n');
    await eventually('the second is seen', () => guests(server) === 2);

    await using honest = await connect(server.url);
    await first.closed();
    expect(await honest.request('echo', 'in')).toMatchObject({ data: 'in' });
    expect(second.socket.destroyed).toBe(false);
    const scrape = await Scrape.of(server);
    expect(scrape.value(CUT('too_many_waiting'))).toBeGreaterThanOrEqual(1);
  });
});

describe('a client that goes half way', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  const settled = (): Promise<void> =>
    eventually('nothing is left', () => {
      return guests(server) <= 1 && server.app.get(SessionRegistry, { strict: false }).size === 0;
    });

  it('and never reads its refusal is let go all the same', async () => {
    await using client = await RawClient.upgrade(server.port, {});
    client.socket.pause();
    await eventually('it was refused', () => guests(server) > 0);
    await settled();
  });

  it('and ends its side after the upgrade is gone, and counted as 1006', async () => {
    await using client = await RawClient.upgrade(server.port, { headers: bearer() });
    expect((await client.answer()).status).toBe(101);
    const closing = once(server.app.get(SessionRegistry, { strict: false }).events, 'closed');
    client.socket.end();
    expect((await closing)[1]).toBe(1006);
    await client.closed();
  });

  const frame = (...bytes: number[]): Buffer => Buffer.from(bytes);
  it.each<[string, (client: RawClient) => void]>([
    ['in the head of a frame', ({ socket }) => socket.write(frame(0x81))],
    ['in a frame', ({ socket }) => socket.write(frame(0x81, 0x85, 0, 0, 0, 0, 0x7b))],
    ['between fragments', ({ socket }) => socket.write(frame(0x01, 0x81, 0, 0, 0, 0, 0x7b))],
    ['behind its request', (client) => client.send({ type: 'echo', id: 1, data: 'x' })],
    ['in the closing handshake', ({ socket }) => socket.write(frame(0x88, 0x80, 0, 0, 0, 0))],
    ['behind a breach', ({ socket }) => socket.write(frame(0xff, 0xff))],
  ])('and resets the connection %s leaves nothing', async (_where, act) => {
    const client = await RawClient.upgrade(server.port, { headers: bearer() });
    await client.answer();
    act(client);
    client.socket.resetAndDestroy();
    await client.closed();
    await settled();
  });
});

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `p${index}`);
}

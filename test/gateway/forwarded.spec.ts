import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { RawClient, type RawUpgrade } from '../support/raw-client.js';
import { sharedServer, sharedServers } from '../support/shared-server.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

/** The address that the server takes a client for, which comes through a proxy on 127.0.0.1. */
async function addressOf(server: TestServer, headers: RawUpgrade['headers']): Promise<string | undefined> {
  const { events } = server.app.get(SessionRegistry, { strict: false });
  const opened = once(events, 'opened');
  await using client = await RawClient.upgrade(server.port, {
    headers: { Authorization: `Bearer ${mintToken()}`, ...headers },
  });
  await client.answer();
  const [session] = (await opened) as [{ address: string }];
  return session.address;
}

/** X-Forwarded-For as proxies write it, and the client that it names where 10.0.0.9 is a proxy as well. */
const LISTS: [what: string, header: string, client: string][] = [
  ['a port of the proxy', '203.0.113.7, 10.0.0.9:4711', '203.0.113.7'],
  ['ports of both', '203.0.113.7:80, 10.0.0.9:4711', '203.0.113.7'],
  ['brackets and a port', '[2001:db8::7]:80, [::ffff:10.0.0.9]:4711', '2001:db8::7'],
  ['brackets alone', '[2001:db8::7], 10.0.0.9', '2001:db8::7'],
  ['quotes', '"[2001:db8::7]:80", "10.0.0.9"', '2001:db8::7'],
  ['tabs', '203.0.113.7\t,\t10.0.0.9\t', '203.0.113.7'],
  ['no blanks', '203.0.113.7,10.0.0.9', '203.0.113.7'],
  ['empty elements', ', 203.0.113.7, , 10.0.0.9,', '203.0.113.7'],
  ['unknown as the client', 'unknown, 10.0.0.9', '10.0.0.9'],
  ['unknown before the client', 'unknown, 203.0.113.7, 10.0.0.9:1', '203.0.113.7'],
  ['what a client made up before it', '10.0.0.9, 198.51.100.1, 203.0.113.7, 10.0.0.9', '203.0.113.7'],
];

describe.each(['2', 'loopback, 10.0.0.0/8'])('X-Forwarded-For where TRUST_PROXY is %s', (TRUST_PROXY) => {
  const server = sharedServer({ TRUST_PROXY });

  it.each(LISTS)('is read with %s: %s', async (_what, header, client) => {
    expect(await addressOf(server(), { 'X-Forwarded-For': header })).toBe(client);
  });

  it('stands for the proxy where it holds nothing, or nothing that is an address', async () => {
    for (const header of ['', ',', 'unknown', '_hidden', '<script>', '1.2.3.4.5', ':4711', '[]:80', '[unknown]']) {
      expect([header, await addressOf(server(), { 'X-Forwarded-For': header })]).toEqual([header, '127.0.0.1']);
    }
  });

  it('is not joined with Forwarded, which a client can write', async () => {
    const headers = { 'X-Forwarded-For': '203.0.113.7, 10.0.0.9', Forwarded: 'for=198.51.100.1;proto=https' };
    expect(await addressOf(server(), headers)).toBe('203.0.113.7');
    expect(await addressOf(server(), { Forwarded: 'for=198.51.100.1' })).toBe('127.0.0.1');
  });
});

describe('clients behind a proxy that reports its port', () => {
  it('are banned one by one, and not together', async () => {
    await using server = await startTestServer({ TRUST_PROXY: 'loopback,10.0.0.9', MAX_CONNECTIONS_PER_IP: '1' });
    const open = async (client: string): Promise<RawClient> => {
      const headers = { Authorization: `Bearer ${mintToken()}`, 'X-Forwarded-For': `${client}:99, 10.0.0.9:4711` };
      return RawClient.upgrade(server.port, { headers });
    };
    await using first = await open('203.0.113.1');
    await first.answer();
    await using again = await open('203.0.113.1');
    expect((await again.outcome()).close?.code).toBe(4001);
    await using other = await open('203.0.113.2');
    await other.answer();
    other.send({ type: 'echo', data: 1 });
    expect((await other.frame()).opcode).toBe(1);
  });
});

describe.each(['2', 'loopback, 10.0.0.0/8'])('Forwarded (RFC 7239) where TRUST_PROXY is %s', (TRUST_PROXY) => {
  const server = sharedServer({ TRUST_PROXY, TRUST_PROXY_HEADER: 'forwarded' });

  it.each([
    ['as the RFC shows it', 'for=203.0.113.7;proto=http;by=203.0.113.43, for=10.0.0.9', '203.0.113.7'],
    ['in any case', 'For=203.0.113.7, FOR=10.0.0.9', '203.0.113.7'],
    ['with quotes, brackets and ports', 'for="[2001:db8::7]:4711", for="10.0.0.9:80"', '2001:db8::7'],
    ['with IPv6 that lacks its quotes', 'for=[2001:db8::7], for=10.0.0.9', '2001:db8::7'],
    ['with a port that is a name', 'for="203.0.113.7:_x", for="10.0.0.9:_y"', '203.0.113.7'],
    ['with tabs and empty elements', ',\tfor=203.0.113.7\t, , for=10.0.0.9 ,', '203.0.113.7'],
    ['with a comma in a quoted value', 'by="a, for=6.6.6.6";for=203.0.113.7, for=10.0.0.9', '203.0.113.7'],
    ['with an escape', 'for="203.0.113\\.7", for=10.0.0.9', '203.0.113.7'],
    ['with a client that is hidden', 'for=_hidden, for=10.0.0.9', '10.0.0.9'],
    ['with a client that is unknown', 'for=unknown, for=10.0.0.9', '10.0.0.9'],
    ['with nothing', '', '127.0.0.1'],
    ['without a client', 'proto=https', '127.0.0.1'],
    ['with a quote that does not end', 'for="x, for=203.0.113.7', '127.0.0.1'],
  ])('is read %s: %s', async (_what, header, client) => {
    expect(await addressOf(server(), { Forwarded: header })).toBe(client);
  });

  it('is not joined with X-Forwarded-For, which a client can write', async () => {
    const headers = { 'X-Forwarded-For': '198.51.100.1', Forwarded: 'for=203.0.113.7, for=10.0.0.9' };
    expect(await addressOf(server(), headers)).toBe('203.0.113.7');
  });
});

describe('the scheme that proxies report', () => {
  const serverWith = sharedServers();
  const headers = { 'X-Forwarded-For': '203.0.113.7, 10.0.0.9' };

  it.each([
    ['https', 101],
    [' https\t,', 101],
    ['https, http', 101],
    ['http, https', 403],
    ['https, http, http', 403],
    [',', 403],
  ])('is read from X-Forwarded-Proto "%s" as far as proxies are trusted', async (scheme, status) => {
    const server = await serverWith({ TRUST_PROXY: '2', REQUIRE_TLS: 'on' });
    const all = { Authorization: `Bearer ${mintToken()}`, ...headers, 'X-Forwarded-Proto': scheme };
    await using client = await RawClient.upgrade(server.port, { headers: all });
    expect((await client.answer()).status).toBe(status);
  });

  it.each([
    ['for=203.0.113.7;proto=https, for=10.0.0.9', 101],
    ['for=203.0.113.7;proto="wss", for=10.0.0.9;proto=http', 101],
    ['proto=https, for=203.0.113.7;proto=http, for=10.0.0.9;proto=https', 403],
    ['for=203.0.113.7, for=10.0.0.9', 403],
  ])('is read from Forwarded: %s', async (Forwarded, status) => {
    const environment = { TRUST_PROXY: '2', TRUST_PROXY_HEADER: 'forwarded', REQUIRE_TLS: 'on' };
    const server = await serverWith(environment);
    const all = { Authorization: `Bearer ${mintToken()}`, Forwarded, 'X-Forwarded-Proto': 'https' };
    await using client = await RawClient.upgrade(server.port, { headers: all });
    expect((await client.answer()).status).toBe(status);
  });
});

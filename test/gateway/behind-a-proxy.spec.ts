import { describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { TOO_MANY } from '../support/closes.js';
import { sharedServers } from '../support/shared-server.js';
import { connect, open } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const serverWith = sharedServers();

const via = (forwarded: string) => ({ headers: { 'x-forwarded-for': forwarded } });

/** The address that the server takes a client for. */
async function addressOf(server: TestServer, forwarded: string): Promise<string | undefined> {
  await using client = await connect(server.url, via(forwarded));
  const { sessionId } = (await client.request('hello')).data as { sessionId: string };
  return server.app.get(SessionRegistry, { strict: false }).get(sessionId)?.address;
}

describe('the address of a client', () => {
  it.each([
    ['believes nobody by default', '', '203.0.113.7', '127.0.0.1'],
    ['is what the one trusted proxy reports', '1', '203.0.113.7', '203.0.113.7'],
    ['is not what the client told that proxy', '1', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['is found behind two proxies', '2', '198.51.100.1, 203.0.113.7, 10.0.0.9', '203.0.113.7'],
    ['is the first that is no trusted address', 'loopback,10.0.0.0/8', '1.1.1.1, 203.0.113.7, 10.0.0.9', '203.0.113.7'],
    ['is the peer itself where that is not trusted', '10.0.0.0/8', '203.0.113.7', '127.0.0.1'],
    ['is the proxy where it reports none', '1', 'unknown', '127.0.0.1'],
    ['is the proxy where it reports garbage', 'loopback', '<script>', '127.0.0.1'],
    ['is known without the port that some proxies add', '1', '203.0.113.7:4711', '203.0.113.7'],
    ['is known without the port of an IPv6 one', '1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['is shown short for IPv6', '1', '2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['is IPv4 again where it was mapped into IPv6', '1', '::ffff:203.0.113.7', '203.0.113.7'],
  ])('%s', async (_what, TRUST_PROXY, forwarded, expected) => {
    const server = await serverWith({ TRUST_PROXY });
    expect(await addressOf(server, forwarded)).toBe(expected);
  });
});

describe('a limit by address', () => {
  it('cannot be passed by a made-up X-Forwarded-For', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_IP: '1' });
    await using first = await connect(server.url, via('203.0.113.1'));
    await using second = open(server.url, via('203.0.113.2'));
    expect(await second.closed).toEqual(TOO_MANY);
    expect(first.unread).toEqual([]);
  });

  it('bans the client and not the proxy it came through', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_IP: '1', TRUST_PROXY: '1' });
    await using first = await connect(server.url, via('203.0.113.1'));
    await using second = open(server.url, via('203.0.113.1'));
    expect(await second.closed).toEqual(TOO_MANY);
    await using other = await connect(server.url, via('203.0.113.2'));
    expect(await other.request('echo', 1)).toMatchObject({ data: 1 });
    expect(await first.request('echo', 2)).toMatchObject({ data: 2 });
  });

  it('is shared by a /64 of IPv6, and not beyond it', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS_PER_IP: '1', TRUST_PROXY: '1' });
    await using first = await connect(server.url, via('2001:db8:1:2::1'));
    await using same = open(server.url, via('2001:db8:1:2:ffff::9'));
    expect(await same.closed).toEqual(TOO_MANY);
    await using other = await connect(server.url, via('2001:db8:1:3::1'));
    for (const client of [first, other]) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });
});

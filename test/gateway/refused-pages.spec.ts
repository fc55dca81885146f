import { describe, expect, it } from 'vitest';
import { ServerState } from '../../src/lifecycle/server-state.js';
import { fetch } from '../support/fetch.js';
import { RawClient, type Outcome, type RawUpgrade } from '../support/raw-client.js';
import { sharedServer } from '../support/shared-server.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const BEARER = { Authorization: `Bearer ${mintToken()}` };
const NOT_ALLOWED = { code: 4430, reason: 'Origin not allowed' };

async function outcomeOf({ port }: TestServer, headers: RawUpgrade['headers']): Promise<Outcome> {
  await using client = await RawClient.upgrade(port, { headers: { ...BEARER, ...headers } });
  // Awaited here: otherwise the connection would be ended first.
  return await client.outcome();
}

/** How a page is turned away; undefined: it is not. */
async function refusalOf({ port }: TestServer, headers: RawUpgrade['headers']): Promise<unknown> {
  await using client = await RawClient.upgrade(port, { headers: { ...BEARER, ...headers } });
  const { status } = await client.answer();
  if (status !== 101) return status;
  // A session answers; who is refused has a close frame first.
  client.send({ type: 'echo', data: 1 });
  const { opcode, payload } = await client.frame();
  return opcode === 8 ? { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) } : undefined;
}

const LOOPBACK: [string, string][] = [
  ['http://localhost:5173', 'localhost:8080'],
  ['http://127.0.0.1:5173', 'localhost:8080'],
  ['http://127.0.0.2', '127.9.9.9:8080'],
  ['https://[::1]', '127.0.0.1'],
  ['http://app.localhost:3000', 'api.localhost:8080'],
];
/** What a page can have brought about by DNS rebinding, and a proxy that rewrites Host. */
const SAME_NAME: [string, string][] = [
  ['http://evil.example', 'evil.example:8080'],
  ['https://chat.example', 'chat.example'],
  ['http://192.168.1.5:8080', '192.168.1.5:8080'],
  ['http://localhost.evil.example', 'localhost.evil.example'],
  ['http://127.0.0.1.evil.example', '127.0.0.1.evil.example'],
];
/** They have a host, but it is not the server's. */
const OTHER_SCHEMES: [string, string][] = [
  ['javascript://localhost', 'localhost:8080'],
  ['chrome-extension://localhost', 'localhost:8080'],
  ['file://localhost', 'localhost:8080'],
  ['ftp://chat.example', 'chat.example'],
  ['moz-extension://chat.example', 'chat.example'],
];

describe.each(['off', 'optional'])('a page where AUTH_MODE is %s and no origin is listed', (AUTH_MODE) => {
  const server = sharedServer({ AUTH_MODE });

  it.each(LOOPBACK)('of the machine itself may connect: %s to %s', async (Origin, Host) => {
    expect(await refusalOf(server(), { Origin, Host })).toBeUndefined();
  });

  it.each([...SAME_NAME, ...OTHER_SCHEMES, ['http://localhost', 'chat.example'], ['http://chat.example', 'localhost']])(
    'of %s may not connect to %s, which a DNS server may have made the same',
    async (Origin, Host) => {
      expect(await refusalOf(server(), { Origin, Host })).toEqual(NOT_ALLOWED);
    },
  );

  it('gets the headers of /route under the same rule', async () => {
    const allowed = async (origin: string): Promise<string | null> =>
      (await fetch(`${server().http}/route`, { headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await allowed('http://localhost:5173')).toBe('http://localhost:5173');
    expect(await allowed('javascript://localhost')).toBeNull();
  });
});

describe('a page where tokens are required and no origin is listed', () => {
  const server = sharedServer();

  it.each([...LOOPBACK, ...SAME_NAME])('of %s may connect to %s', async (Origin, Host) => {
    expect(await refusalOf(server(), { Origin, Host })).toBeUndefined();
  });

  it.each(OTHER_SCHEMES)('of %s is not of the same host as %s', async (Origin, Host) => {
    expect(await refusalOf(server(), { Origin, Host })).toEqual(NOT_ALLOWED);
  });
});

describe('a page of a listed origin', () => {
  const server = sharedServer({ AUTH_MODE: 'off', ALLOWED_ORIGINS: 'https://chat.example' });

  it('may connect without tokens, and then pages of the machine itself may not', async () => {
    expect(await refusalOf(server(), { Origin: 'https://chat.example' })).toBeUndefined();
    expect(await refusalOf(server(), { Origin: 'http://localhost', Host: 'localhost' })).toEqual(NOT_ALLOWED);
  });
});

describe('a refusal that a page can tell from a broken network', () => {
  const phase = ({ app }: TestServer, current: string): void =>
    void Object.assign(app.get(ServerState, { strict: false }), { current });
  const STARTING = { code: 4503, reason: 'Server starting, try again later' };
  const DRAINING = { code: 1012, reason: 'Server restarting' };

  it.each([
    ['starting', STARTING, 503],
    ['draining', DRAINING, 503],
  ])('is a close code where the node is %s, in the subprotocol that was offered', async (name, close, status) => {
    await using server = await startTestServer();
    phase(server, name);
    const offer = { 'Sec-WebSocket-Protocol': `v2.proto, bearer.${mintToken()}` };
    expect(await outcomeOf(server, offer)).toMatchObject({
      close,
      headers: { 'sec-websocket-protocol': 'v2.proto' },
    });
    phase(server, 'ready');
    await using client = await connect(server.url);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    expect(status).toBe(503);
  });

  it.each(['starting', 'draining'])('is 503 for a trusted proxy, which asks another node: %s', async (name) => {
    for (const TRUST_PROXY of ['1', 'loopback']) {
      await using server = await startTestServer({ TRUST_PROXY });
      phase(server, name);
      expect(await outcomeOf(server, {})).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    }
    await using other = await startTestServer({ TRUST_PROXY: '10.0.0.0/8' });
    phase(other, name);
    expect(await outcomeOf(other, {})).toMatchObject({ status: 101 });
  });

  it('is HTTP throughout where AUTH_REFUSAL is http', async () => {
    await using server = await startTestServer({ AUTH_REFUSAL: 'http' });
    const page = { Origin: 'https://evil.example' };
    expect(await outcomeOf(server, page)).toMatchObject({ status: 403, body: 'Origin not allowed' });
    for (const [name, body] of [
      ['starting', 'Server starting'],
      ['draining', 'Server restarting'],
    ] as const) {
      phase(server, name);
      expect(await outcomeOf(server, page)).toMatchObject({ status: 503, body, headers: { 'retry-after': '1' } });
    }
  });

  it('is a close code for a foreign origin behind a proxy, too, as no other node would let it in', async () => {
    await using server = await startTestServer({ TRUST_PROXY: '1' });
    expect(await outcomeOf(server, { Origin: 'https://evil.example' })).toMatchObject({ close: NOT_ALLOWED });
  });

  it('is HTTP where the handshake itself is at fault, so that nothing is completed', async () => {
    await using server = await startTestServer();
    phase(server, 'draining');
    const broken = { 'Sec-WebSocket-Key': 'x', Origin: 'https://evil.example' };
    expect(await outcomeOf(server, broken)).toMatchObject({ status: 400 });
  });
});

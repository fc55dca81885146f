import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Environment } from '../../config/settings.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { RawClient, type RawUpgrade } from '../support/raw-client.js';
import { sharedServer } from '../support/shared-server.js';
import { connect, open } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

/** The status of the answer to an upgrade that brings a good token. */
async function statusOf({ port }: TestServer, { headers, ...request }: RawUpgrade): Promise<number> {
  const credentials = { Authorization: `Bearer ${mintToken()}` };
  await using client = await RawClient.upgrade(port, { ...request, headers: { ...credentials, ...headers } });
  return (await client.answer()).status;
}

describe('the handshake', () => {
  const server = sharedServer();

  it('is completed as RFC 6455 §1.3 shows it, and nothing is sent unasked', async () => {
    await using client = await RawClient.upgrade(server().port, {
      headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', Authorization: `Bearer ${mintToken()}` },
    });
    const { status, headers } = await client.answer();
    expect(status).toBe(101);
    expect(headers).toEqual({
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    });
    client.send({ type: 'echo', data: 'first' });
    expect(JSON.parse((await client.frame()).payload.toString())).toMatchObject({ type: 'echo_reply', data: 'first' });
  });

  it('takes messages that come in the same packet as the request', async () => {
    await using client = await RawClient.upgrade(server().port, {
      headers: { Authorization: `Bearer ${mintToken()}` },
    });
    client.send({ type: 'echo', data: 'eager' });
    await client.answer();
    expect(JSON.parse((await client.frame()).payload.toString())).toMatchObject({ data: 'eager' });
  });

  it.each<[string, RawUpgrade, number]>([
    ['a HEAD request', { method: 'HEAD' }, 405],
    ['a key of the wrong length', { headers: { 'Sec-WebSocket-Key': 'c2hvcnQ=' } }, 400],
    ['a key that is no base64', { headers: { 'Sec-WebSocket-Key': '????????????????????????' } }, 400],
    ['no version', { headers: { 'Sec-WebSocket-Version': undefined } }, 426],
    ['another case of the header value', { headers: { Upgrade: 'WebSocket' } }, 101],
    ['a trailing slash', { path: '/ws/' }, 404],
    ['another case of the path', { path: '/WS' }, 404],
    ['a query', { path: '/ws?room=1' }, 101],
    ['an empty list of subprotocols', { headers: { 'Sec-WebSocket-Protocol': ',' } }, 400],
    ['a subprotocol that is no token', { headers: { 'Sec-WebSocket-Protocol': 'v1 json' } }, 400],
  ])('with %s is answered with its status', async (_what, request, status) => {
    expect(await statusOf(server(), request)).toBe(status);
  });

  it('is at the path that WS_PATH names, and nowhere else', async () => {
    await using moved = await startTestServer({ WS_PATH: '/realtime/v1' });
    expect(await statusOf(moved, { path: '/realtime/v1' })).toBe(101);
    expect(await statusOf(moved, { path: '/ws' })).toBe(404);
  });

  it('survives clients that hang up in the middle of it', async () => {
    for (const text of ['GET /ws HT', 'GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n']) {
      const client = await RawClient.connect(server().port);
      client.socket.write(text);
      client.socket.resetAndDestroy();
    }
    const reset = await RawClient.upgrade(server().port, { headers: { Authorization: `Bearer ${mintToken()}` } });
    reset.socket.resetAndDestroy();
    await using client = await connect(server().url);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });
});

describe.each<[string, Environment, [string, string | undefined, string | undefined, boolean][]]>([
  [
    'where origins are listed',
    { ALLOWED_ORIGINS: 'https://app.example.com, http://localhost:3000/' },
    [
      ['listed', 'https://app.example.com', undefined, true],
      ['listed, in capitals', 'HTTPS://APP.example.com', undefined, true],
      ['listed with a slash behind it', 'http://localhost:3000', undefined, true],
      ['of a listed host with another scheme', 'http://app.example.com', undefined, false],
      ['of a listed host with another port', 'https://app.example.com:8443', undefined, false],
      ['that only begins as a listed one', 'https://app.example.com.evil.example', undefined, false],
      ['of the same host, but not listed', 'http://chat.example', 'chat.example', false],
      ['null', 'null', undefined, false],
      ['absent: no browser', undefined, undefined, true],
    ],
  ],
  [
    'without a list',
    {},
    [
      ['of the same host', 'https://chat.example', 'chat.example:8080', true],
      ['of another host', 'https://evil.example', 'chat.example', false],
      ['of a subdomain', 'https://a.chat.example', 'chat.example', false],
      ['localhost for 127.0.0.1', 'http://localhost:5173', '127.0.0.1:8080', true],
      ['[::1] for localhost', 'http://[::1]:5173', 'localhost:8080', true],
      ['localhost for a public name', 'http://localhost:5173', 'chat.example', false],
      ['null', 'null', 'chat.example', false],
      ['empty', '', 'chat.example', false],
      ['absent', undefined, 'chat.example', true],
    ],
  ],
  [
    'where * is allowed',
    { ALLOWED_ORIGINS: 'https://a.example,*' },
    [
      ['of any host', 'https://evil.example', undefined, true],
      ['null', 'null', undefined, true],
    ],
  ],
])('the origin of a page, %s,', (_where, environment, origins) => {
  const server = sharedServer({ ...environment, AUTH_REFUSAL: 'http' });

  it.each(origins)('%s', async (_what, Origin, Host, isLetIn) => {
    const headers = { Origin, ...(Host !== undefined && { Host }) };
    expect(await statusOf(server(), { headers })).toBe(isLetIn ? 101 : 403);
  });
});

describe('the subprotocol', () => {
  const server = sharedServer();

  it.each([
    [['v1.json'], 'v1.json'],
    [['v2.proto', 'v1.binary', 'v1.json'], 'v2.proto'],
    [['soap', 'v1.binary', 'v1.json'], 'v1.binary'],
    [['v1.json', 'v1.binary'], 'v1.json'],
  ])('of %j is %s: the first in the client’s order that is spoken here', async (protocols, expected) => {
    await using client = await connect(server().url, { protocols, claims: { sub: protocols.join() } });
    expect(client.socket.protocol).toBe(expected);
    const [session] = server().app.get(SessionRegistry, { strict: false }).ofUser(protocols.join());
    expect(session?.codec.subprotocol).toBe(expected);
  });

  it('is v1.json where the client offers none, and no header says so', async () => {
    await using client = await connect(server().url);
    expect(client.socket.protocol).toBe('');
    expect(await client.request('hello')).toMatchObject({ data: { protocol: 'v1.json' } });
  });

  it('that nobody speaks closes with 1002, in a way that a browser can read', async () => {
    await using client = open(server().url, { protocols: ['v3.json', 'soap'] });
    expect(await client.closed).toEqual({ code: 1002, reason: 'Unsupported subprotocol' });
    expect(client.socket.protocol).toBe('v3.json');
  });

  it.each([
    ['v1.json', Buffer.from('{"type":"echo"}')],
    ['v1.binary', '{"type":"echo"}'],
    ['v2.proto', '{"type":"echo"}'],
  ])('%s closes with 1003 at the wrong kind of frame', async (protocol, payload) => {
    await using client = await connect(server().url, { protocols: [protocol] });
    client.send(payload);
    expect(await client.closed).toEqual({ code: 1003, reason: 'Wrong frame kind for the subprotocol' });
    expect(client.unread).toEqual([]);
  });
});

describe('a breach of the protocol', () => {
  const server = sharedServer({ MAX_MESSAGE_BYTES: '64' });

  it.each([
    ['1009, for a message that is too large', 0x1, Buffer.alloc(65), 1009],
    ['1007, for text that is no UTF-8', 0x1, Buffer.from([0xc3, 0x28]), 1007],
    ['1002, for a reserved opcode', 0x3, Buffer.alloc(0), 1002],
  ])('closes with %s', async (_what, opcode, payload, code) => {
    await using client = await RawClient.upgrade(server().port, {
      headers: { Authorization: `Bearer ${mintToken()}` },
    });
    await client.answer();
    const closing = once(server().app.get(SessionRegistry, { strict: false }).events, 'closed');
    client.send(payload, opcode);
    expect((await client.frame()).payload.readUInt16BE(0)).toBe(code);
    await client.closed();
    await closing;
  });
});

import { once } from 'node:events';
import { request as secureRequest } from 'node:https';
import { describe, expect, it } from 'vitest';
import { PendingConnections } from '../../src/upgrade/pending/pending-connections.js';
import { CertificateFolder, makeCertificate } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { RawClient, type HttpAnswer, type RawUpgrade } from '../support/raw-client.js';
import { sharedServer } from '../support/shared-server.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer } from '../support/test-server.js';

const BEARER = { Authorization: `Bearer ${mintToken()}` };
/** curl --http2 and Java's HttpClient send these with any request. */
const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n';

function upgradeText(headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...BEARER,
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET /ws HTTP/1.1\r\nHost: x\r\n${lines.join('')}\r\n`;
}

function publishText(data: string, headers = ''): string {
  const body = JSON.stringify({ channel: 'feed:news', data });
  const token = mintToken({ sub: 'backend', roles: ['SERVICE'] });
  return `POST /api/publish HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;
}

describe('an offer of a protocol that is not spoken here', () => {
  const server = sharedServer();

  it.each([
    ['h2c', H2C],
    ['websocket among others', 'Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n'],
    ['a list of nothing', 'Connection: Upgrade\r\nUpgrade: ,\r\n'],
  ])('is ignored on a POST, whose body is read: %s', async (_what, headers) => {
    await using client = await RawClient.connect(server().port);
    client.socket.write(publishText('hello', headers));
    const { status, body } = await client.outcome();
    expect([status, JSON.parse(body)]).toEqual([200, expect.objectContaining({ seq: expect.any(Number) })]);
  });

  it.each(['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('is ignored on %s as without the offer', async (method) => {
    const text = (headers: string): string =>
      `${method} /health HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: 0\r\n\r\n`;
    const statuses = ['', H2C].map(async (headers) => {
      await using client = await RawClient.connect(server().port);
      client.socket.write(text(headers));
      return (await client.answer()).status;
    });
    const [plain, offering] = await Promise.all(statuses);
    expect(offering).toBe(plain);
  });

  it('is ignored where the body comes in pieces, and what comes behind it is answered, too', async () => {
    await using client = await RawClient.connect(server().port);
    const text = publishText('pieces', H2C);
    const headersRead = once(server().app.getHttpServer(), 'upgrade');
    client.socket.write(text.slice(0, -5));
    await headersRead;
    client.socket.write(`${text.slice(-5)}GET /health HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect((await client.outcome()).status).toBe(200);
    expect((await client.outcome()).status).toBe(200);
  });

  it('leaves nothing on a connection that makes it a hundred times, and then upgrades', async () => {
    const accepted = once(server().app.getHttpServer(), 'connection');
    await using client = await RawClient.connect(server().port);
    for (let round = 0; round < 100; round += 1) {
      client.socket.write(`GET /health HTTP/1.1\r\nHost: x\r\n${H2C}\r\n`);
      expect((await client.outcome()).status).toBe(200);
    }
    const [socket] = (await accepted) as [NodeJS.EventEmitter];
    for (const event of ['timeout', 'close', 'error', 'data', 'end', 'drain'])
      expect([event, socket.listenerCount(event)]).toEqual([event, expect.toSatisfy((count) => count < 5)]);
    expect(server().app.get(PendingConnections, { strict: false }).size).toBeGreaterThan(0);
    client.socket.write(upgradeText());
    expect((await client.answer()).status).toBe(101);
    client.send({ type: 'echo', data: 'in' });
    expect(JSON.parse((await client.frame()).payload.toString())).toMatchObject({ data: 'in' });
  });

  it('is ignored over TLS as well', async () => {
    using files = new CertificateFolder(await makeCertificate());
    await using secure = await startTestServer(files.environment);
    const headers = {
      connection: 'Upgrade',
      upgrade: 'h2c',
      authorization: `Bearer ${mintToken({ roles: ['SERVICE'] })}`,
    };
    const body = JSON.stringify({ channel: 'feed:news', data: 1 });
    const status = await new Promise((resolve, reject) => {
      const sent = secureRequest(`${secure.http}/api/publish`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        rejectUnauthorized: false,
        agent: false,
      });
      sent.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
      sent.end(body);
    });
    expect(status).toBe(200);
  });

  it('does not hide a WebSocket handshake beside it', async () => {
    for (const Upgrade of ['h2c, websocket', 'WebSocket,', ', websocket']) {
      expect(await answerTo(server().port, { headers: { Upgrade } })).toMatchObject({ status: 101 });
    }
  });
});

describe('a request and an upgrade in one packet', () => {
  const server = sharedServer();

  it('are both answered, in their order', async () => {
    await using client = await RawClient.connect(server().port);
    const health = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
    client.socket.write(`${health}${publishText('first')}${health}${upgradeText()}`);
    for (const path of ['health', 'publish', 'health']) {
      expect([path, (await client.outcome()).status]).toEqual([path, 200]);
    }
    expect((await client.answer()).status).toBe(101);
    client.send({ type: 'echo', data: 'in' });
    expect(JSON.parse((await client.frame()).payload.toString())).toMatchObject({ data: 'in' });
  });

  it('are both answered where the upgrade offers h2c, and so is what comes behind it', async () => {
    await using client = await RawClient.connect(server().port);
    const health = (headers = ''): string => `GET /health HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
    client.socket.write(health() + health(H2C) + health());
    for (let round = 0; round < 3; round += 1) expect((await client.outcome()).status).toBe(200);
  });

  it('leave nothing where the client hangs up before the first is answered', async () => {
    const client = await RawClient.connect(server().port);
    client.socket.write(`GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n${upgradeText()}`);
    client.socket.resetAndDestroy();
    await client.closed();
    await eventually('nobody is left', () => server().app.get(PendingConnections, { strict: false }).size === 0);
    await using other = await connect(server().url);
    expect(await other.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('are read to the end where the first answer is long and its client reads slowly', async () => {
    await using client = await RawClient.connect(server().port);
    client.socket.pause();
    client.socket.write(`GET /docs-json HTTP/1.1\r\nHost: x\r\n\r\n${upgradeText()}`);
    client.socket.resume();
    expect(JSON.parse((await client.outcome()).body)).toMatchObject({ openapi: expect.any(String) });
    expect((await client.answer()).status).toBe(101);
  });
});

describe('a request and something unreadable in one packet', () => {
  const server = sharedServer();

  it.each([
    ['no HTTP', 'GARBAGE\r\n\r\n', 400],
    ['a head that is too large', `GET /ws HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['an upgrade without Host', upgradeText().replace('Host: x\r\n', ''), 400],
  ])('are both answered, in their order: %s', async (_what, unreadable, status) => {
    await using client = await RawClient.connect(server().port);
    client.socket.write(publishText('first') + publishText('second') + unreadable);
    expect((await client.outcome()).status).toBe(200);
    expect((await client.outcome()).status).toBe(200);
    client.socket.write('and on it goes');
    expect((await client.answer()).status).toBe(status);
    await client.closed();
  });

  it.each([
    ['HTTP/1.1', 'Connection: close\r\n'],
    ['HTTP/1.0', ''],
  ])('are answered once where the request was the last one: %s', async (version, headers) => {
    await using client = await RawClient.connect(server().port);
    client.socket.write(publishText('last', headers).replace('HTTP/1.1', version) + upgradeText());
    expect((await client.outcome()).status).toBe(200);
    await client.closed();
    expect(client.unread).toBe(0);
  });

  it('are answered at once where the request is not whole', async () => {
    await using client = await RawClient.connect(server().port);
    const head = publishText('x').replace(/Content-Length[^]*/, 'Transfer-Encoding: chunked\r\n\r\n');
    client.socket.write(`${head}no length\r\n`);
    expect((await client.answer()).status).toBe(400);
    await client.closed();
  });
});

describe('the absolute form of a request target', () => {
  const server = sharedServer();

  it.each<[string, string, number]>([
    ['of http', 'http://chat.example/ws', 101],
    ['of ws, with a port and a query', 'ws://chat.example:8080/ws?a=b', 101],
    ['in capitals', 'HTTP://CHAT.EXAMPLE/ws', 101],
    ['of another path', 'http://chat.example/elsewhere', 404],
    ['without a path', 'http://chat.example', 404],
    ['with user information', 'http://user@chat.example/ws', 404],
    ['of another scheme', 'ftp://chat.example/ws', 404],
  ])('%s is taken for what it names', async (_what, path, status) => {
    expect(await answerTo(server().port, { path })).toMatchObject({ status });
  });

  it('gives the host, and the Host header does not count', async () => {
    const path = 'http://chat.example/ws';
    const refusal = { AUTH_REFUSAL: 'http' };
    await using strict = await startTestServer(refusal);
    const answer = (Origin: string, Host: string) => answerTo(strict.port, { path, headers: { Origin, Host } });
    expect(await answer('http://chat.example', 'evil.example')).toMatchObject({ status: 101 });
    expect(await answer('http://evil.example', 'evil.example')).toMatchObject({ status: 403 });
  });

  it('brings a token in its query', async () => {
    const path = `http://x/ws?token=${mintToken()}`;
    await using client = await RawClient.upgrade(server().port, { path });
    await client.answer();
    client.send({ type: 'echo', data: 'in' });
    expect(JSON.parse((await client.frame()).payload.toString())).toMatchObject({ type: 'echo_reply' });
  });

  it('is known on plain requests, and opens no door that the usual form does not', async () => {
    await using guarded = await startTestServer({ REQUIRE_TLS: 'on', TRUST_PROXY: '1', METRICS_ENABLED: 'off' });
    const status = async (target: string) => {
      await using client = await RawClient.connect(guarded.port);
      client.socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: http\r\n\r\n`);
      return (await client.answer()).status;
    };
    expect([await status('http://x/health'), await status('http://x/metrics')]).toEqual([200, 403]);
  });
});

describe('a list header with empty elements', () => {
  const server = sharedServer({ COMPRESS_FROM_BYTES: '1024' });

  it.each([
    ['Sec-WebSocket-Protocol', 'v1.json,'],
    ['Sec-WebSocket-Protocol', ', ,v1.json ,\t, v1.binary'],
    ['Connection', 'keep-alive, , Upgrade,'],
    ['Upgrade', ',websocket , ,'],
    ['Sec-WebSocket-Extensions', ', permessage-deflate,, ,'],
  ])('%s: "%s" is read without them', async (name, value) => {
    const answer = await answerTo(server().port, { headers: { [name]: value } });
    expect(answer.status).toBe(101);
    expect(answer.headers['sec-websocket-protocol']).toBe(name.endsWith('Protocol') ? 'v1.json' : undefined);
    expect(answer.headers['sec-websocket-extensions'] !== undefined).toBe(name.endsWith('Extensions'));
  });

  it('is still malformed where there is nothing else, or an entry is there twice', async () => {
    for (const value of [',', ' , ', 'v1.json,,v1.json', 'v1 json,']) {
      const answer = await answerTo(server().port, { headers: { 'Sec-WebSocket-Protocol': value } });
      expect([value, answer.status]).toEqual([value, 400]);
    }
  });
});

describe('an offer of permessage-deflate', () => {
  const server = sharedServer({ COMPRESS_FROM_BYTES: '1024' });
  const AGREED = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';

  it.each<[string, string, string | undefined]>([
    ['that asks for nothing is accepted', 'permessage-deflate', AGREED],
    ['of a browser is accepted', 'permessage-deflate; client_max_window_bits', AGREED],
    ['with an unknown parameter is declined', 'permessage-deflate; x', undefined],
    ['with a window that does not exist is declined', 'permessage-deflate; server_max_window_bits=7', undefined],
    ['with a window without a size is declined', 'permessage-deflate; server_max_window_bits', undefined],
    ['with a value where there is none is declined', 'permessage-deflate; server_no_context_takeover=1', undefined],
    [
      'with a parameter twice is declined',
      'permessage-deflate; client_no_context_takeover; client_no_context_takeover',
      undefined,
    ],
    ['that is good is taken behind a bad one', 'permessage-deflate; x=1, permessage-deflate', AGREED],
    ['that is good is taken before a bad one', 'permessage-deflate, permessage-deflate; x="a, b"', AGREED],
    ['is found among other extensions', 'x-webkit-deflate-frame, foo; a="b\\"c", permessage-deflate', AGREED],
    ['is not seen in a quoted value', 'foo; a="x, permessage-deflate"', undefined],
  ])('%s', async (_what, offer, agreed) => {
    const { status, headers } = await answerTo(server().port, { headers: { 'Sec-WebSocket-Extensions': offer } });
    expect([status, headers['sec-websocket-extensions']]).toEqual([101, agreed]);
  });

  it('agrees on the window that the accepted offer asks for', async () => {
    const offer = 'permessage-deflate; server_max_window_bits=99, permessage-deflate; server_max_window_bits=10';
    const { headers } = await answerTo(server().port, { headers: { 'Sec-WebSocket-Extensions': offer } });
    expect(headers['sec-websocket-extensions']).toContain('server_max_window_bits=10');
  });

  it.each(['permessage-deflate;', '; x', 'a b', 'permessage-deflate; x="', 'a=b', 'permessage-deflate; =1', 'é'])(
    'that is malformed fails the handshake, as RFC 6455 §9.1 demands: %s',
    async (offer) => {
      expect(await answerTo(server().port, { headers: { 'Sec-WebSocket-Extensions': offer } })).toMatchObject({
        status: 400,
      });
    },
  );
});

describe('a handshake that HTTP does not allow', () => {
  const server = sharedServer();

  it.each(['0.9', '1.0', '2.0'])('of HTTP/%s is answered 426, and told what is required', async (version) => {
    const answer = await answerTo(server().port, { version });
    expect(answer).toMatchObject({ status: 426, headers: { upgrade: 'websocket', connection: 'Upgrade, close' } });
  });

  it.each<[string, RawUpgrade['headers']]>([
    ['no Host', { Host: undefined }],
    ['two of them', { host: 'other.example' }],
    ['one that is none', { Host: 'chat.example/ws' }],
    ['no Host but an absolute target', { Host: undefined }],
  ])('with %s is answered 400', async (what, headers = {}) => {
    const path = what.includes('absolute') ? 'http://chat.example/ws' : '/ws';
    expect(await answerTo(server().port, { path, headers })).toMatchObject({ status: 400 });
  });

  it.each(['', 'chat.example', 'chat_1.example:8080', '[2001:db8::1]:8080', '127.0.0.1'])(
    'is not one with the Host "%s"',
    async (Host) => {
      expect(await answerTo(server().port, { headers: { Host } })).toMatchObject({ status: 101 });
    },
  );
});

/** The head of the answer to an upgrade that brings a good token. */
async function answerTo(port: number, { headers, ...request }: RawUpgrade): Promise<HttpAnswer> {
  await using client = await RawClient.upgrade(port, { ...request, headers: { ...BEARER, ...headers } });
  // Awaited here: otherwise the connection would be ended first.
  return await client.answer();
}

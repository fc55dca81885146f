import { request } from 'node:http';
import { pack, unpack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { api, serviceToken } from '../support/api-client.js';
import { sharedServers } from '../support/shared-server.js';
import { connect } from '../support/test-client.js';
import type { TestServer } from '../support/test-server.js';

const serverWith = sharedServers();

const PUBLISH = 'POST /api/publish';
const FORMAT = { status: 400, body: { code: 'INVALID_MESSAGE_FORMAT' } };
const TOO_LARGE = { status: 413, body: { status: 413, title: 'Payload Too Large', code: 'MESSAGE_TOO_LARGE' } };

/** Every answer to a hostile request is a problem, tells nothing of the request, and leaves the server as it was. */
async function expectUnharmed(server: TestServer): Promise<void> {
  expect(await api(server, PUBLISH, { body: { channel: 'feed:x', data: 1 } })).toMatchObject({ status: 200 });
  expect(server.logLines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
}

describe('a body that is hostile', () => {
  it.each([
    ['no JSON', '{"channel":'],
    ['two values', '{}{}'],
    ['deep', `${'['.repeat(200)}${']'.repeat(200)}`],
    ['very deep', '['.repeat(500_000)],
    ['of very many lists', `[${'[],'.repeat(200_000)}[]]`],
    ['with a key __proto__', '{"channel":"feed:x","data":{"__proto__":{"admin":true}}}'],
    ['with an escaped key __proto__', '{"channel":"feed:x","data":{"\\u005f_proto__":{"admin":true}}}'],
    ['with a number that is Infinity as a double', '{"channel":"feed:x","data":1e400}'],
    ['with such a number deep within', '{"channel":"feed:x","data":{"readings":[0,-1E+309]}}'],
    ['with a number of too many digits', `{"channel":"feed:x","data":${'9'.repeat(310)}}`],
    ['not UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22)],
  ])('is refused where it is %s', async (_what, body) => {
    const server = await serverWith();
    expect(await api(server, PUBLISH, { body })).toMatchObject(FORMAT);
    await expectUnharmed(server);
  });

  it('is refused by every kind of request where it has a number such as 1e400', async () => {
    const server = await serverWith();
    for (const call of [PUBLISH, 'POST /api/broadcast', 'POST /api/users/ann/messages'] as const) {
      const answer = await api(server, call, { body: '{"channel":"feed:x","type":"m","data":1e400}' });
      expect({ call, ...answer }).toMatchObject({ call, ...FORMAT });
    }
    await expectUnharmed(server);
  });

  it('is published where it is just as deep as it may be, and reaches subscribers of every codec', async () => {
    const server = await serverWith();
    await using client = await connect(server.url);
    await using binary = await connect(server.url, { protocols: ['v1.binary'] });
    await client.request('subscribe', { channel: 'feed:x' });
    binary.send(pack({ type: 'subscribe', data: { channel: 'feed:x' } }));
    await binary.next();
    const data = `${'['.repeat(127)}${']'.repeat(127)}`;
    expect(await api(server, PUBLISH, { body: `{"channel":"feed:x","data":${data}}` })).toMatchObject({ status: 200 });
    expect(JSON.stringify((await client.next()).data)).toBe(data);
    const { bytes } = (await binary.next()) as unknown as { bytes: Buffer };
    expect(JSON.stringify((unpack(bytes) as { data: unknown }).data)).toBe(data);
  });

  it.each([
    ['application/x-www-form-urlencoded', 'channel=feed:x'],
    ['text/plain', '{}'],
    ['application/json; charset=latin1', '{}'],
    ['multipart/form-data; boundary=x', '--x--'],
  ])('is refused with 415 where it is %s', async (type, body) => {
    const server = await serverWith();
    const { status, headers, body: answer } = await api(server, PUBLISH, { body, headers: { 'content-type': type } });
    expect({ status, answer }).toMatchObject({ status: 415, answer: { title: 'Unsupported Media Type' } });
    expect(headers.get('accept-post')).toBe('application/json');
    await expectUnharmed(server);
  });

  it('is refused with 415 where it is compressed', async () => {
    const server = await serverWith();
    const answer = await api(server, PUBLISH, { body: '{}', headers: { 'content-encoding': 'gzip' } });
    expect(answer.status).toBe(415);
  });

  it('is refused with 413 where it says that it is too long', async () => {
    const server = await serverWith({ API_MAX_BODY_BYTES: '2000' });
    expect(await api(server, PUBLISH, { body: `"${'x'.repeat(2_000)}"` })).toMatchObject(TOO_LARGE);
    const body = { channel: 'feed:x', data: 'x'.repeat(1_900) };
    expect(await api(server, PUBLISH, { body })).toMatchObject({ status: 200 });
  });

  it('is refused with 413 as soon as it turns out to be too long', async () => {
    const server = await serverWith({ API_MAX_BODY_BYTES: '2000' });
    const status = await streamed(server, ['x'.repeat(1_500), 'x'.repeat(1_500)]);
    expect(status).toBe(413);
    await expectUnharmed(server);
  });

  it('is not read where the token is bad: the answer comes while it is still being sent', async () => {
    const server = await serverWith();
    expect(await streamed(server, ['x'], { authorization: 'Bearer bad' })).toBe(401);
  });

  it('belongs to nobody where the client goes before its end', async () => {
    const server = await serverWith();
    await abandoned(server);
    await expectUnharmed(server);
  });
});

describe('a URL that is hostile', () => {
  it.each([
    ['GET /api', 404],
    ['GET /api/', 404],
    ['GET /api/%3Cscript%3E', 404],
    ['GET /api/users/bob', 404],
    ['POST /api/users/%zz/messages', 400],
    ['GET /api/channels/%E0%A4%A/history', 400],
  ])('%s is answered with %i, without being quoted', async (endpoint, status) => {
    const server = await serverWith();
    const answer = await api(server, endpoint, endpoint.startsWith('POST') ? { body: {} } : {});
    expect(answer).toMatchObject({ status, body: { type: 'about:blank', status } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.stringify(answer.body)).not.toMatch(/script|bob|%zz|%E0/);
    await expectUnharmed(server);
  });

  it.each([
    ['GET /api/publish', 'POST'],
    ['PUT /api/nodes', 'HEAD, GET'],
    ['PATCH /api/sessions/abc', 'HEAD, GET, DELETE'],
    ['POST /api/channels/feed:x/history', 'HEAD, GET'],
    ['DELETE /api/bans', 'HEAD, GET, POST'],
    ['OPTIONS /api/nodes', 'HEAD, GET'],
  ])('%s is answered with 405 and the methods there are', async (endpoint, allow) => {
    const server = await serverWith();
    const { status, headers } = await api(server, endpoint);
    expect({ status, allow: headers.get('allow') }).toEqual({ status: 405, allow });
  });

  it.each(['%61pi/nodes', 'API/nodes', 'api/../api/nodes', 'api//nodes', 'api/nodes/'])(
    'no spelling of a path comes past the token: /%s',
    async (path) => {
      const server = await serverWith();
      const status = await rawStatus(server, `/${path}`);
      expect([401, 404]).toContain(status);
    },
  );

  it.each(['__proto__=1', 'constructor=1', 'toString=1', 'a[b]=1'])('?%s is no field', async (query) => {
    const server = await serverWith();
    expect((await api(server, `GET /api/sessions?${query}`)).status).toBe(422);
    await expectUnharmed(server);
  });

  it('names no more than fifty unknown fields', async () => {
    const server = await serverWith();
    const body = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${'x'.repeat(100)}${index}`, 1]));
    const { status, body: answer } = await api(server, PUBLISH, { body });
    expect(status).toBe(422);
    expect(JSON.stringify(answer).length).toBeLessThan(10_000);
  });
});

/** The status of a request whose body is not sent to its end. */
function streamed(
  server: TestServer,
  chunks: readonly string[],
  headers: Record<string, string> = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request(`${server.http}/api/publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${serviceToken()}`, 'content-type': 'application/json', ...headers },
    });
    sent.on('error', reject).on('response', (response) => {
      resolve(response.statusCode);
      sent.destroy();
    });
    for (const chunk of chunks) sent.write(chunk);
  });
}

async function abandoned(server: TestServer): Promise<void> {
  await new Promise<void>((resolve) => {
    const headers = { authorization: `Bearer ${serviceToken()}`, 'content-type': 'application/json' };
    const sent = request(`${server.http}/api/publish`, { method: 'POST', headers });
    sent.on('error', () => {}).on('close', resolve);
    sent.write('{"channel":', () => sent.destroy());
  });
}

/** Without a token, and with the path as it is: fetch would tidy it. */
function rawStatus(server: TestServer, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.http);
    request({ hostname, port, path }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end();
  });
}

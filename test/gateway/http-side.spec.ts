import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { UnusableSettings } from '../../config/unusable-settings.js';
import { api, serviceToken } from '../support/api-client.js';
import { CertificateFolder, makeCertificate, type TestCertificate } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { ask } from '../support/http-client.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { sharedServers } from '../support/shared-server.js';
import { connect, open } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

const serverWith = sharedServers();

const TOKEN = 'a-token-for-prometheus';
const NOT_FOUND = { type: 'about:blank', title: 'Not Found', status: 404, detail: 'Nothing is served at this path' };
const bearer = (token: string): { headers: Record<string, string> } => ({
  headers: { authorization: `Bearer ${token}` },
});

let certificate: TestCertificate;
beforeAll(async () => {
  certificate = await makeCertificate();
});

describe('every HTTP answer', () => {
  it('says to browsers that it is data, to be run, framed and guessed at by nobody', async () => {
    const server = await serverWith();
    const paths = [
      '/health',
      '/ready',
      '/metrics',
      '/route',
      '/api/nodes',
      '/nowhere',
      '/docs',
      '/docs-json',
      '/docs/%zz',
      '/contract',
      '/contract/asyncapi.json',
    ];
    for (const path of paths) {
      const { headers } = await ask(`${server.http}${path}`);
      expect([path, headers]).toMatchObject([
        path,
        {
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'SAMEORIGIN',
          'referrer-policy': 'no-referrer',
          'cross-origin-resource-policy': 'same-origin',
          'content-security-policy': expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/) as string,
        },
      ]);
      expect(Object.keys(headers)).not.toContain('x-powered-by');
      // Over plain HTTP browsers are told to ignore it.
      expect(Object.keys(headers)).not.toContain('strict-transport-security');
      if (!path.startsWith('/docs')) expect(headers['content-security-policy']).not.toContain('self');
    }
  });

  it('to what is not there, or not like that, quotes nothing', async () => {
    const server = await serverWith();
    const requests = [
      ['GET', '/nowhere/%3Cscript%3E?secret=1'],
      ['POST', '/health'],
      ['DELETE', '/metrics'],
      ['GET', '/__proto__'],
      ['GET', '/docs/%zz'],
      ['GET', '/docs/..%2f..%2fpackage.json'],
      ['GET', '/ws'],
    ] as const;
    for (const [method, path] of requests) {
      const { status, headers, body } = await ask(`${server.http}${path}`, { method });
      expect([path, status, JSON.parse(body)]).toEqual([path, 404, NOT_FOUND]);
      expect(headers['content-type']).toBe('application/problem+json');
    }
    expect(server.logLines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('shows no stack where something of ours breaks, which the log does', async () => {
    await using server = await startTestServer();
    server.app.use('/breaks', () => {
      throw new Error('with a secret in it');
    });
    const { router } = server.app.getHttpAdapter().getInstance() as { router: { stack: unknown[] } };
    // What is put in now stands behind the answer to what is not there: it has to come before that.
    router.stack.unshift(router.stack.pop());
    const answer = await ask(`${server.http}/breaks`);
    expect(JSON.parse(answer.body)).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'Internal Server Error',
    });
    expect(server.logLines.find(({ msg }) => msg === 'HTTP request failed')).toMatchObject({ level: 'error' });
  });

  it('to a request with a body, where none is read, is 413', async () => {
    const server = await serverWith();
    const before = await Scrape.of(server);
    for (const path of ['/health', '/metrics', '/route', '/nowhere', '/docs-json']) {
      const { status, headers } = await ask(`${server.http}${path}`, { body: 'x', headers: { 'content-length': '1' } });
      expect([path, status, headers.connection]).toEqual([path, 413, 'close']);
    }
    const chunked = await ask(`${server.http}/health`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect(chunked.status).toBe(413);
    expect((await Scrape.of(server)).since(before, 'gatehouse_http_refused_total{reason="body"}')).toBe(6);
    expect(await api(server, 'POST /api/publish', { body: { channel: 'feed:x', data: 1 } })).toMatchObject({
      status: 200,
    });
  });
});

describe('REQUIRE_TLS', () => {
  const PROXY = { REQUIRE_TLS: 'on', TRUST_PROXY: '1' };

  it('refuses upgrades and HTTP that came in plain, but not probes', async () => {
    await using server = await startTestServer(PROXY);
    const statuses = async (headers: Record<string, string>): Promise<number[]> => {
      const paths = ['/health', '/ready', '/route', '/metrics', '/docs-json', '/nowhere'];
      return Promise.all(paths.map(async (path) => (await ask(`${server.http}${path}`, { headers })).status));
    };
    expect(await statuses({})).toEqual([200, 200, 403, 403, 403, 403]);
    expect(await statuses({ 'x-forwarded-proto': 'https' })).toEqual([200, 200, 200, 200, 200, 404]);
    const answer = await api(server, 'GET /api/nodes');
    expect(answer).toMatchObject({ status: 403, body: { detail: 'TLS is required: use https' } });
    await using client = open(server.url);
    expect((await client.closed).code).toBe(1006);
  });

  it.each<[string, Record<string, boolean>]>([
    [
      '1',
      {
        https: true,
        wss: true,
        HTTPS: true,
        http: false,
        '': false,
        ftp: false,
        // The client's own word, to which the proxy has added its.
        'https, http': false,
        'http, https': true,
      },
    ],
    // The outer one of the two has seen the client.
    ['2', { 'https, http': true, 'http, https': false, https: true, 'https, http, http': false }],
    ['10.0.0.0/8', { https: false }],
    ['loopback', { https: true }],
  ])('takes the word of the proxies that TRUST_PROXY=%s trusts, and of nobody else', async (TRUST_PROXY, schemes) => {
    await using server = await startTestServer({ REQUIRE_TLS: 'on', TRUST_PROXY });
    for (const [scheme, isSecure] of Object.entries(schemes)) {
      const headers = { 'x-forwarded-proto': scheme, 'x-forwarded-for': '203.0.113.7, 10.0.0.9' };
      const upgrade = connect(server.url, { headers });
      if (isSecure) await (await upgrade)[Symbol.asyncDispose]();
      else await expect(upgrade, scheme).rejects.toThrow('403');
      const { status, headers: told } = await ask(`${server.http}/route`, { headers });
      expect([scheme, status]).toEqual([scheme, isSecure ? 200 : 403]);
      expect('strict-transport-security' in told).toBe(isSecure);
    }
  });

  it('is met by TLS in the process, whoever is trusted', async () => {
    using files = new CertificateFolder(certificate);
    await using server = await startTestServer({ ...files.environment, REQUIRE_TLS: 'on' });
    await using client = await connect(server.url, { ca: certificate.cert });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    expect((await ask(`${server.http}/route`, { ca: certificate.cert })).status).toBe(200);
  });

  it('holds for a client whose proxy speaks TLS with the server, but did not with the client', async () => {
    using files = new CertificateFolder(certificate);
    await using server = await startTestServer({ ...files.environment, ...PROXY });
    const headers = { 'x-forwarded-proto': 'http' };
    await expect(connect(server.url, { ca: certificate.cert, headers })).rejects.toThrow('403');
  });
});

describe('/metrics', () => {
  it('asks for METRICS_TOKEN, and tells strangers nothing', async () => {
    await using server = await startTestServer({ METRICS_TOKEN: TOKEN });
    const metrics = `${server.http}/metrics`;
    for (const wrong of [{}, bearer(`${TOKEN}x`), bearer(TOKEN.slice(1)), bearer(serviceToken())]) {
      const answer = await ask(metrics, wrong);
      expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
      expect(answer.body).not.toContain('websocket_');
    }
    for (const path of ['/METRICS', '/metrics/', '//metrics', '/metrics?x=1']) {
      expect((await ask(`${server.http}${path}`)).body).not.toContain('websocket_');
    }
    const text = (await ask(metrics, bearer(TOKEN))).body;
    expect(text).toMatch(/^websocket_active_connections 0$/m);
    expect(text).toMatch(/^gatehouse_http_refused_total\{reason="metrics_token"\} [1-9]/m);
  });

  it('is not there where METRICS_ENABLED is off, nor in production without a token or a port of its own, as /docs is not', async () => {
    const environments = [{ METRICS_ENABLED: 'off' }, { NODE_ENV: 'production' }];
    for (const environment of environments) {
      await using server = await startTestServer(environment);
      const { status, body } = await ask(`${server.http}/metrics`);
      expect([status, JSON.parse(body)]).toEqual([404, NOT_FOUND]);
      const docs = await Promise.all(['/docs', '/docs-json'].map((path) => ask(`${server.http}${path}`)));
      const expected = 'NODE_ENV' in environment ? 404 : 200;
      expect(docs.map((answer) => answer.status)).toEqual([expected, expected]);
    }
    await using asked = await startTestServer({ NODE_ENV: 'production', METRICS_ENABLED: 'on', API_DOCS: 'on' });
    expect((await ask(`${asked.http}/metrics`)).status).toBe(200);
    expect((await ask(`${asked.http}/docs-json`)).status).toBe(200);
  });
});

describe('INTERNAL_PORT', () => {
  const PATHS = [
    '/health',
    '/ready',
    '/route',
    '/metrics',
    '/docs-json',
    '/contract',
    '/contract/messages.ts',
    '/api/nodes',
  ];

  it('has what is for operators, which the public port has not, and no WebSocket', async () => {
    const port = await freePort();
    await using server = await startTestServer({ INTERNAL_PORT: String(port) });
    const internal = `http://127.0.0.1:${port}`;
    const statuses = (base: string): Promise<number[]> =>
      Promise.all(PATHS.map(async (path) => (await ask(`${base}${path}`, bearer(serviceToken()))).status));
    expect(await statuses(internal)).toEqual(PATHS.map(() => 200));
    expect(await statuses(server.http)).toEqual([200, 200, 200, 404, 404, 404, 404, 404]);
    for (const path of ['/API/nodes', '/api', '/api/', '/Metrics/', '/docs/', '/docs/swagger-ui.css', '//api/nodes']) {
      const { status, body } = await ask(`${server.http}${path}`, bearer(serviceToken()));
      expect([path, status, JSON.parse(body)]).toEqual([path, 404, NOT_FOUND]);
    }
    await using client = await connect(server.url);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    await using other = await RawClient.upgrade(port, bearer(serviceToken()));
    expect((await other.answer()).status).toBe(404);
  });

  it('serves until the server is closed, and is free then', async () => {
    const port = await freePort();
    const server = await startTestServer({ INTERNAL_PORT: String(port) });
    await using idle = await RawClient.connect(port);
    await server.close();
    await idle.closed();
    await expect(ask(`http://127.0.0.1:${port}/health`)).rejects.toThrow('ECONNREFUSED');
  });

  it('is asked for its token and its TLS as the public one is', async () => {
    using files = new CertificateFolder(certificate);
    const ca = certificate.cert;
    const [plain, secure] = [await freePort(), await freePort()];
    const settings = { ...files.environment, REQUIRE_TLS: 'on', METRICS_TOKEN: TOKEN };
    await using server = await startTestServer({ ...settings, INTERNAL_PORT: String(plain) });
    const statusesOf = (base: string): Promise<number[]> =>
      Promise.all(PATHS.map(async (path) => (await ask(`${base}${path}`, { ca, ...bearer(TOKEN) })).status));
    // Prometheus and probes often speak no TLS; tokens of the API are not to be sent without.
    expect(await statusesOf(`http://127.0.0.1:${plain}`)).toEqual([200, 200, 403, 200, 403, 403, 403, 403]);
    expect((await ask(`http://127.0.0.1:${plain}/metrics`)).status).toBe(401);
    expect((await ask(`${server.http}/metrics`, { ca, ...bearer(TOKEN) })).status).toBe(404);
    await using other = await startTestServer({ ...settings, INTERNAL_PORT: String(secure), INTERNAL_TLS: 'on' });
    expect(await statusesOf(`https://127.0.0.1:${secure}`)).toEqual([200, 200, 200, 200, 200, 200, 200, 401]);
    expect(other.port).not.toBe(secure);
  });

  it('is free again where the server could not start', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const internal = String(await freePort());
    const starting = startTestServer({ HOST: '127.0.0.1', PORT: String(port), INTERNAL_PORT: internal });
    await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE', port });
    taken.close();
    await expect(ask(`http://127.0.0.1:${internal}/health`)).rejects.toThrow('ECONNREFUSED');
    await using _ = await startTestServer({ INTERNAL_PORT: internal });
    expect((await ask(`http://127.0.0.1:${internal}/health`)).status).toBe(200);
  });

  it('that is taken is named as the setting that cannot be used', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const starting = startTestServer({ INTERNAL_PORT: String(port) });
    await expect(starting).rejects.toThrow(UnusableSettings);
    await expect(starting).rejects.toThrow(`INTERNAL_PORT: ${port} on 127.0.0.1 cannot be listened on (EADDRINUSE)`);
    taken.close();
  });
});

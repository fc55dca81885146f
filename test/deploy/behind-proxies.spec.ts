// @module-tag redis
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { read } from '../docs/markdown.js';
import { buildServer, ServerProcess } from '../support/built-server.js';
import { api } from '../support/api-client.js';
import { CertificateFolder, makeCertificate } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { fetch } from '../support/fetch.js';
import { Http2Client } from '../support/http2-client.js';
import { has } from '../support/programs.js';
import { RawClient } from '../support/raw-client.js';
import { RedisServer } from '../support/redis-server.js';
import { connect, open, type ClientSetup, type TestClient } from '../support/test-client.js';
import { mintToken, TEST_SECRET } from '../support/test-server.js';
import { ProxyProcess, type ProxyKind } from './proxy-process.js';

const NODES = ['node-1', 'node-2', 'node-3'] as const;
type NodeName = (typeof NODES)[number];

/** As deploy/compose.yaml sets them; without the limits of an address, since all of it comes from this machine. */
const ENVIRONMENT = {
  NODE_ENV: 'production',
  JWT_SECRET: TEST_SECRET,
  TRUST_PROXY: '1',
  CONNECTION_RATE_PER_IP: '0',
  MAX_CONNECTIONS_PER_USER: '0',
  RECONNECT_WINDOW_MS: '100',
};
const ADMIN = mintToken({ sub: 'operator', roles: ['ADMIN', 'SERVICE'] });
const KINDS: readonly ProxyKind[] = ['nginx', 'haproxy'];
const present = KINDS.filter(has);

/** Three processes that share a Redis, and each proxy that is on PATH in front of all of them. */
class Site implements AsyncDisposable {
  private readonly parts: AsyncDisposable[] = [];
  private readonly processes: ServerProcess[] = [];
  private ports: readonly number[] = [];
  private readonly proxies = new Map<ProxyKind, ProxyProcess>();
  certificate = '';

  async start(): Promise<void> {
    const build = this.keep(await buildServer());
    const redis = this.keep(await RedisServer.start());
    for (const SERVER_ID of NODES) {
      const environment = { ...ENVIRONMENT, REDIS_URL: redis.url, SERVER_ID };
      this.processes.push(this.keep(await ServerProcess.start(build, environment)));
    }
    this.ports = await Promise.all(this.processes.map((process) => process.port()));
    const made = await makeCertificate();
    this.certificate = made.cert;
    const folder = new CertificateFolder(made);
    this.keep({ [Symbol.asyncDispose]: async () => folder[Symbol.dispose]() });
    const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = folder.environment;
    for (const kind of present) {
      this.proxies.set(
        kind,
        this.keep(await ProxyProcess.start(kind, this.ports, { certificate: { certFile, keyFile } })),
      );
    }
  }

  private keep<T extends AsyncDisposable>(part: T): T {
    this.parts.push(part);
    return part;
  }

  behind(kind: ProxyKind): ProxyProcess {
    const proxy = this.proxies.get(kind);
    if (proxy === undefined) throw new Error(`${kind} is not there`);
    return proxy;
  }

  process(node: NodeName): ServerProcess {
    return this.at(this.processes, node);
  }

  /** Of a node itself, past the proxies. */
  port(node: NodeName): number {
    return this.at(this.ports, node);
  }

  private at<T>(list: readonly T[], node: NodeName): T {
    const item = list[NODES.indexOf(node)];
    if (item === undefined) throw new Error(`there is no ${node}`);
    return item;
  }

  /** Asks the server API of a node, past the proxies. */
  ask(endpoint: string, body?: unknown, node: NodeName = 'node-1') {
    return api({ http: `http://127.0.0.1:${this.port(node)}` }, endpoint, { token: ADMIN, body });
  }

  /** Of a user, once their node has answered: a starved one is late, and is `missing` until then. */
  async sessionsOf(userId: string): Promise<readonly unknown[]> {
    let sessions: readonly unknown[] = [];
    await eventually(`${userId} is connected`, async () => {
      const { body } = await this.ask(`GET /api/sessions?userId=${userId}`);
      ({ sessions } = body as { readonly sessions: readonly unknown[] });
      return sessions.length > 0;
    });
    return sessions;
  }

  /** The last first: also what there is of one that could not start. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.parts.toReversed()) await part[Symbol.asyncDispose]();
  }
}

const site = new Site();
beforeAll(async () => {
  if (present.length > 0) await site.start();
});
afterAll(() => site[Symbol.asyncDispose]());

function through(kind: ProxyKind, setup?: ClientSetup): Promise<TestClient> {
  return connect(`ws://127.0.0.1:${site.behind(kind).port}/ws`, setup);
}

async function nodeOf(client: TestClient): Promise<unknown> {
  const { data } = await client.request('hello');
  return (data as { nodeId: string }).nodeId;
}

async function leave(clients: readonly TestClient[]): Promise<void> {
  for (const { socket } of clients) socket.close();
  await Promise.all(clients.map(({ closed }) => closed));
}

function times<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, make));
}

describe.each(KINDS)('deploy/%s in front of three processes', (kind) => {
  const tags = [kind];

  it('hands on upgrades, from ws and from wss', { tags }, async () => {
    await using plain = await through(kind, { protocols: ['v1.json'] });
    expect(await plain.request('echo', 1)).toMatchObject({ type: 'echo_reply', data: 1 });
    const { tlsPort } = site.behind(kind);
    await using secure = await connect(`wss://127.0.0.1:${tlsPort}/ws`, { ca: site.certificate });
    expect(await secure.request('echo', 2)).toMatchObject({ type: 'echo_reply', data: 2 });
  });

  it("tells the nodes a client's own address, whatever it says of itself", { tags }, async () => {
    const claims = { sub: `traveller-${kind}` };
    const headers = { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7' };
    await using client = await through(kind, { claims, headers, localAddress: '127.0.0.2' });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    expect(await site.sessionsOf(claims.sub)).toMatchObject([{ userId: claims.sub, address: '127.0.0.2' }]);
  });

  it('leaves a ban to the client that it is for', { tags }, async () => {
    const ban = { kind: 'address', key: '127.0.0.3', durationMs: 60_000 };
    expect(await site.ask('POST /api/bans', ban)).toMatchObject({ status: 200 });
    await eventually('every node knows the ban', async () => {
      const lists = await Promise.all(NODES.map((node) => site.ask('GET /api/bans', undefined, node)));
      return lists.every(({ body }) => JSON.stringify(body).includes('127.0.0.3'));
    });
    await using banned = open(`ws://127.0.0.1:${site.behind(kind).port}/ws`, { localAddress: '127.0.0.3' });
    expect(await banned.closed).toMatchObject({ code: 4001 });
    await using other = await through(kind, { localAddress: '127.0.0.2' });
    expect(await other.request('echo', 1)).toMatchObject({ data: 1 });
    expect(await site.ask('DELETE /api/bans/address/127.0.0.3')).toMatchObject({ status: 204 });
  });

  it('lets nobody outside reach more than the endpoint and /route', { tags }, async () => {
    const at = `http://127.0.0.1:${site.behind(kind).port}`;
    for (const path of [
      '/',
      '/proxy-health',
      '/health',
      '/ready',
      '/metrics',
      '/api/sessions',
      '/docs',
      '/ws/',
      '/route/../metrics',
    ]) {
      expect([path, (await fetch(`${at}${path}`)).status]).toEqual([path, 404]);
    }
    expect((await fetch(`${at}/route`)).status).toBe(200);
    expect((await fetch(`${at}/ws`, { method: 'POST', body: 'x' })).status).toBeOneOf([403, 405]);
    // Upgrades to HTTP/2 carry requests past a proxy's rules.
    await using smuggler = await RawClient.upgrade(site.behind(kind).port, { headers: { Upgrade: 'h2c' } });
    expect((await smuggler.outcome()).status).toBeGreaterThanOrEqual(400);
  });

  it('ends at once on the signal that it is stopped with, whoever is connected', { tags }, async () => {
    const port = site.port('node-1');
    await using proxy = await ProxyProcess.start(kind, [port]);
    await using client = await connect(`ws://127.0.0.1:${proxy.port}/ws`);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    await proxy.stop(stopSignal(kind));
    expect(await client.closed).toMatchObject({ code: 1006 });
  });

  it('spreads connections evenly', { tags }, async () => {
    const clients = await times(30, () => through(kind));
    const homes = await Promise.all(clients.map(nodeOf));
    for (const node of NODES) expect(homes.filter((home) => home === node).length).toBeGreaterThanOrEqual(5);
    await leave(clients);
  });
});

describe('WebSockets over HTTP/2 through HAProxy', { tags: ['haproxy'] }, () => {
  it.each(['plain', 'TLS'])('speak to a node, beside each other on one connection: %s', async (transport) => {
    await using client = await throughHttp2(transport);
    expect([client.takesWebSockets, client.maxStreams]).toEqual([true, 200]);
    expect(client.alpn).toBe(transport === 'TLS' ? 'h2' : 'h2c');
    const sockets = await times(20, () => client.open());
    expect(sockets.map(({ status }) => status)).toEqual(sockets.map(() => 200));
    const replies = await Promise.all(sockets.map((socket, data) => socket.request({ type: 'echo', data })));
    expect(replies).toMatchObject(sockets.map((_socket, data) => ({ type: 'echo_reply', data })));
    for (const socket of sockets) await socket.leave();
  });

  it('have the address of their client, whatever it says of itself', async () => {
    await using client = await throughHttp2('plain');
    const authorization = `Bearer ${mintToken({ sub: 'traveller-h2' })}`;
    const socket = await client.open({ authorization, 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7' });
    expect(await socket.request({ type: 'echo', data: 1 })).toMatchObject({ data: 1 });
    expect(await site.sessionsOf('traveller-h2')).toMatchObject([{ userId: 'traveller-h2', address: '127.0.0.1' }]);
  });

  it('are closed by the node with its code, as over HTTP/1.1', async () => {
    await using client = await throughHttp2('plain');
    const socket = await client.open({ authorization: 'Bearer none' });
    expect(await socket.closed()).toBe(4403);
  });

  it('reach nothing but the endpoint', async () => {
    await using client = await throughHttp2('plain');
    for (const path of ['/', '/metrics', '/api/sessions', '/ready']) {
      expect([path, (await client.open({ ':path': path })).status]).toEqual([path, 404]);
    }
    expect((await client.open({ ':protocol': 'connect-udp' })).status).not.toBe(200);
  });

  it('count for their address one by one, however few connections carry them', async () => {
    const perAddress = 6;
    await using proxy = await ProxyProcess.start('haproxy', [site.port('node-1')], { perAddress });
    await using first = await Http2Client.connect(`http://127.0.0.1:${proxy.port}`);
    await using second = await Http2Client.connect(`http://127.0.0.1:${proxy.port}`);
    const opened = await times(perAddress / 2, async () => [await first.open(), await second.open()]);
    expect(opened.flat().map(({ status }) => status)).toEqual(opened.flat().map(() => 200));
    expect((await first.open()).status).toBe(429);
    // HTTP/1.1 from the same address as well.
    await using late = await RawClient.upgrade(proxy.port);
    expect((await late.answer()).status).toBe(429);
    await opened[0]?.[0]?.leave();
    await eventually('a place is free', async () => (await second.open()).status === 200);
  });
});

function throughHttp2(transport: string): Promise<Http2Client> {
  const { port, tlsPort } = site.behind('haproxy');
  if (transport === 'plain') return Http2Client.connect(`http://127.0.0.1:${port}`);
  return Http2Client.connect(`https://127.0.0.1:${tlsPort}`, { ca: site.certificate });
}

describe('the proxies themselves', () => {
  it('nginx tells its own container of its health, on loopback only', { tags: ['nginx'] }, async () => {
    const { healthPort } = site.behind('nginx').ports;
    expect((await fetch(`http://127.0.0.1:${healthPort}/`)).status).toBe(204);
    // As docker would reach a port that is open to other containers.
    await expect(fetch(`http://127.0.0.2:${healthPort}/`)).rejects.toThrow('fetch failed');
  });
});

/** Of compose.yaml; without one there, that of the image. HAProxy's configuration says it, for it has no place in compose.yaml. */
function stopSignal(kind: ProxyKind): NodeJS.Signals {
  if (kind === 'haproxy')
    return /stop HAProxy by (SIG\w+)/.exec(read('deploy/haproxy/haproxy.cfg'))?.[1] as NodeJS.Signals;
  const { services } = parse(read('deploy/compose.yaml'), { merge: true }) as {
    services: { nginx: { stop_signal?: NodeJS.Signals } };
  };
  return services.nginx.stop_signal ?? 'SIGQUIT';
}

describe.skipIf(present.length === 0)('a node that is told to end', () => {
  const GONE: NodeName = 'node-2';

  it('sends its clients to the others through each proxy, and no new one meets an error', async () => {
    const before = (await Promise.all(present.map((kind) => times(9, () => through(kind))))).flat();
    const homes = await Promise.all(before.map(nodeOf));
    const leaving = before.filter((_client, index) => homes[index] === GONE);
    const staying = before.filter((_client, index) => homes[index] !== GONE);
    expect(leaving.length).toBeGreaterThan(0);
    // A client that does not answer the close frame, so that the node is there, and draining, while others come.
    const headers = { Authorization: `Bearer ${mintToken()}` };
    await using stubborn = await RawClient.upgrade(site.port(GONE), { headers });
    await stubborn.answer();

    site.process(GONE).signal('SIGTERM');
    for (const client of leaving) expect(await client.closed).toMatchObject({ code: 1012 });
    expect((await fetch(`http://127.0.0.1:${site.port(GONE)}/ready`)).status).toBe(503);
    // It has the fewest connections now: the first that come are sent there, and from there on to others.
    for (const kind of present) await expectOthers(kind);
    site.process(GONE).signal('SIGKILL');
    await site.process(GONE).ended;
    for (const kind of present) await expectOthers(kind);
    for (const client of staying) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    await leave(staying);
  });

  async function expectOthers(kind: ProxyKind): Promise<void> {
    const clients = await times(9, () => through(kind));
    expect(await Promise.all(clients.map(nodeOf))).not.toContain(GONE);
    await leave(clients);
  }

  it('was asked by nginx, which passed the client on', { tags: ['nginx'] }, async () => {
    await eventually('the log says so', () => site.behind('nginx').log().includes('"upstream":"503, 101"'));
  });

  it.each(present)('leaves no token in the log of %s', async (kind) => {
    const { port, log } = site.behind(kind);
    const token = mintToken();
    await using client = await connect(`ws://127.0.0.1:${port}/ws?token=${token}`, { claims: false });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    await leave([client]);
    const lines = log().split('\n').length;
    await using last = await through(kind);
    await leave([last]);
    await eventually('the connection is in the log', () => log().split('\n').length > lines);
    expect(log()).not.toContain(token);
    expect(log()).not.toContain('token=');
  });
});

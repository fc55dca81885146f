import { describe, expect, it } from 'vitest';
import { api } from '../support/api-client.js';
import { fetch } from '../support/fetch.js';
import { sharedServers } from '../support/shared-server.js';
import { connect, open } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

const serverWith = sharedServers();

const number = expect.any(Number) as number;

describe('GET /api/nodes', () => {
  it('shows this node and how busy it is', async () => {
    const server = await serverWith();
    const { status, body } = await api(server, 'GET /api/nodes');
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { nodes: [{ nodeId: 'test-node', isReady: true, url: server.url, load: { sessions: number } }] },
    });
  });
});

describe('POST /api/drain', () => {
  it('lets the clients go, refuses new ones, and tells what it did', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    const { status, body } = await api(server, 'POST /api/drain', { body: {} });
    expect({ status, body }).toEqual({
      status: 200,
      body: { nodeId: 'test-node', sessions: 1, remaining: 1, reconnectWindowMs: 100, startedAt: number },
    });
    expect(await client.closed).toEqual({ code: 1012, reason: '100' });
    expect((await fetch(`${server.http}/ready`)).status).toBe(503);
    await using late = open(server.url);
    expect(await late.closed).toMatchObject({ code: 1012 });
  });

  it('tells how far it is when asked again, also without a body', async () => {
    await using server = await startTestServer();
    await api(server, 'POST /api/drain', { body: { nodeId: 'test-node' } });
    expect(await api(server, 'POST /api/drain')).toMatchObject({ status: 200, body: { remaining: 0 } });
  });

  it('is 404 for a node that is not there, and nothing happens', async () => {
    await using server = await startTestServer();
    const { status, body } = await api(server, 'POST /api/drain', { body: { nodeId: 'elsewhere' } });
    expect({ status, body }).toMatchObject({ status: 404, body: { detail: 'No such node' } });
    expect((await fetch(`${server.http}/ready`)).status).toBe(200);
  });

  it.each([{ nodeId: '' }, { nodeId: 5 }, { nodeId: 'a b' }, { node: 'x' }])('refuses %j', async (body) => {
    await using server = await startTestServer();
    expect((await api(server, 'POST /api/drain', { body })).status).toBe(422);
    expect((await fetch(`${server.http}/ready`)).status).toBe(200);
  });
});

describe('/api/bans', () => {
  it('keeps a user out, ends its sessions, is listed, and can be lifted', async () => {
    const server = await serverWith();
    await using client = await connect(server.url, { claims: { sub: 'bob' } });
    const ban = { kind: 'user', key: 'bob', durationMs: 60_000, reason: 'Scraping' };
    expect(await api(server, 'POST /api/bans', { body: ban })).toMatchObject({ status: 200, body: { sessions: 1 } });
    expect(await client.closed).toMatchObject({ code: 4409 });
    await using again = open(server.url, { claims: { sub: 'bob' } });
    expect((await again.closed).code).not.toBe(1006);

    const { body } = await api(server, 'GET /api/bans');
    const listed = { kind: 'user', key: 'bob', until: number, reason: 'Scraping', by: 'operator' };
    expect(body).toEqual({ bans: [listed], total: 1 });
    expect((await api(server, 'DELETE /api/bans/user/bob')).status).toBe(204);
    expect((await api(server, 'GET /api/bans')).body).toEqual({ bans: [], total: 0 });
    await using back = await connect(server.url, { claims: { sub: 'bob' } });
    expect((await back.request('hello')).type).toBe('hello_reply');
  });

  it('bans the /64 of an IPv6 address, and lifts it by the name it is listed under', async () => {
    const server = await serverWith();
    await api(server, 'POST /api/bans', { body: { kind: 'address', key: '2001:db8::7', durationMs: 60_000 } });
    const { body } = await api(server, 'GET /api/bans');
    const [{ key }] = (body as { bans: [{ key: string }] }).bans;
    expect(key).toBe('2001:db8:0:0::/64');
    expect((await api(server, `DELETE /api/bans/address/${encodeURIComponent(key)}`)).status).toBe(204);
  });

  it('is 404 to lift a ban that is not there', async () => {
    const server = await serverWith();
    const { status, body } = await api(server, 'DELETE /api/bans/user/nobody');
    expect({ status, body }).toMatchObject({ status: 404, body: { detail: 'No such ban' } });
  });

  it.each([
    [{ kind: 'role', key: 'x', durationMs: 1 }, 'kind'],
    [{ kind: 'address', key: 'not an address', durationMs: 1 }, 'key'],
    [{ kind: 'user', key: '', durationMs: 1 }, 'key'],
    [{ kind: 'user', key: 'x' }, 'durationMs'],
    [{ kind: 'user', key: 'x', durationMs: 0 }, 'durationMs'],
    [{ kind: 'user', key: 'x', durationMs: 1, reason: 'x'.repeat(257) }, 'reason'],
  ])('refuses %j', async (body, field) => {
    const server = await serverWith();
    const answer = await api(server, 'POST /api/bans', { body });
    expect(answer).toMatchObject({ status: 422, body: { errors: { [field]: expect.any(Array) as unknown } } });
  });

  it('refuses to lift what can be no ban', async () => {
    const server = await serverWith();
    expect((await api(server, 'DELETE /api/bans/role/x')).status).toBe(422);
    expect((await api(server, 'DELETE /api/bans/address/x')).status).toBe(422);
  });
});

describe('GET /route', () => {
  it('tells anybody where to connect', async () => {
    const server = await serverWith();
    const { status, headers, body } = await api(server, 'GET /route', { token: false });
    expect({ status, body }).toEqual({ status: 200, body: { nodeId: 'test-node', url: server.url } });
    expect(headers.get('cache-control')).toBe('no-store');
    await using client = await connect((body as { url: string }).url);
    expect((await client.request('hello')).type).toBe('hello_reply');
  });

  it('is 503 with Retry-After where no node takes clients', async () => {
    await using server = await startTestServer();
    await api(server, 'POST /api/drain', { body: {} });
    const { status, headers, body } = await api(server, 'GET /route', { token: false });
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { code: 'SERVER_BUSY', detail: 'No node accepts clients' },
    });
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(headers.get('retry-after')).toBe('1');
  });

  it('may be read by pages that may connect, and by no others', async () => {
    const server = await serverWith({ ALLOWED_ORIGINS: 'https://app.example.com' });
    const allowed = async (origin: string): Promise<string | null> =>
      (await api(server, 'GET /route', { token: false, headers: { origin } })).headers.get(
        'access-control-allow-origin',
      );
    expect(await allowed('https://app.example.com')).toBe('https://app.example.com');
    expect(await allowed('https://elsewhere.example')).toBeNull();
  });
});

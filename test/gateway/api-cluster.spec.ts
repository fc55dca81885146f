import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BanStore } from '../../src/cluster/ports/ban-store.js';
import { RevocationStore } from '../../src/cluster/ports/revocation-store.js';
import { api } from '../support/api-client.js';
import { TOO_MANY } from '../support/closes.js';
import { eventually } from '../support/eventually.js';
import { connect, open, type TestClient } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import type { LogLevelsAnswer } from '../../src/server-api/logs/log-levels.requests.js';
import { mintToken, startTestServer } from '../support/test-server.js';
import { RedisServer } from '../support/redis-server.js';

/** Asked at the first node; the clients are on both. */
describe('the server API of a node that is not alone', { tags: ['redis'] }, () => {
  let nodes: TestNodes;
  beforeAll(async () => void (nodes = await TestNodes.start(['node-1', 'node-2'])));
  afterAll(() => nodes[Symbol.asyncDispose]());

  const connectTo = (index: number, sub: string): Promise<TestClient> =>
    connect(nodes.at(index).url, { claims: { sub } });

  it('reaches and counts the sessions of all nodes', async () => {
    await using here = await connectTo(0, 'carol');
    await using there = await connectTo(1, 'carol');
    const { body } = await api(nodes.at(0), 'POST /api/users/carol/messages', { body: { type: 'note', data: 1 } });
    expect(body).toEqual({ sessions: 2 });
    expect([(await here.next()).type, (await there.next()).type]).toEqual(['note', 'note']);
  });

  it('publishes to subscribers of another node', async () => {
    await using there = await connectTo(1, 'dave');
    await there.request('subscribe', { channel: 'feed:cluster' });
    await api(nodes.at(0), 'POST /api/publish', { body: { channel: 'feed:cluster', data: 7 } });
    expect(await there.next()).toMatchObject({ type: 'message', data: 7 });
  });

  it('sends once for an Idempotency-Key, whichever node is asked', async () => {
    await using client = await connectTo(1, 'erin');
    const call = { body: { type: 'once', data: 1 }, headers: { 'idempotency-key': 'k' } };
    const endpoint = 'POST /api/users/erin/messages';
    expect((await api(nodes.at(0), endpoint, call)).body).toEqual({ sessions: 1 });
    expect((await api(nodes.at(1), endpoint, call)).body).toEqual({ sessions: 1 });
    await api(nodes.at(0), endpoint, { body: { type: 'last' } });
    expect([(await client.next()).type, (await client.next()).type]).toEqual(['once', 'last']);
  });

  it('lists the sessions of all nodes, and ends one wherever it is', async () => {
    await using here = await connectTo(0, 'frank');
    await using there = await connectTo(1, 'frank');
    expect((await here.request('ping')).type).toBe('ping_reply');
    const { body } = await api(nodes.at(0), 'GET /api/sessions?userId=frank');
    const { sessions } = body as { sessions: { sessionId: string; nodeId: string }[] };
    expect(sessions.map(({ nodeId }) => nodeId).sort()).toEqual(['node-1', 'node-2']);
    const id = sessions.find(({ nodeId }) => nodeId === 'node-2')?.sessionId;
    expect((await api(nodes.at(0), `DELETE /api/sessions/${id}`)).status).toBe(204);
    expect((await there.closed).code).toBe(4409);
  });

  it('refuses a SERVICE that acts on an ADMIN of another node, or undoes what an ADMIN ordered there', async () => {
    const admin = mintToken({ sub: 'chief', roles: ['ADMIN'] });
    const root = { sub: 'root-of-node-2', roles: ['ADMIN'], jti: 'root-token' };
    await using there = await connect(nodes.at(1).url, { claims: root });
    const { sessionId } = (await there.request('hello')).data as { sessionId: string };
    const ban = (key: string) => ({ kind: 'user', key, durationMs: 60_000 });
    await api(nodes.at(1), 'POST /api/bans', { token: admin, body: ban('banned-by-admin') });
    const attempts: [endpoint: string, body?: object][] = [
      [`DELETE /api/sessions/${sessionId}`],
      ['DELETE /api/users/root-of-node-2/sessions'],
      ['PUT /api/users/root-of-node-2/rights', { roles: [] }],
      ['POST /api/bans', ban('root-of-node-2')],
      ['POST /api/revocations', { kind: 'session', key: sessionId }],
      ['POST /api/revocations', { kind: 'token', key: 'root-token' }],
      ['DELETE /api/bans/user/banned-by-admin'],
    ];
    for (const [endpoint, body] of attempts) {
      const { status } = await api(nodes.at(0), endpoint, { body });
      expect({ endpoint, body, status }).toEqual({ endpoint, body, status: 403 });
    }
    expect((await there.request('hello')).data).toMatchObject({ sessionId, roles: ['ADMIN'] });
    expect((await api(nodes.at(0), 'DELETE /api/bans/user/banned-by-admin', { token: admin })).status).toBe(204);
  });

  it('refuses a SERVICE that undoes what an ADMIN ordered, also where the node has not heard of it', async () => {
    const token = mintToken({ sub: 'chief', roles: ['ADMIN'] });
    const common = { until: Date.now() + 60_000, reason: '' };
    const since = { ...common, issuedBefore: Date.now() };
    // As while the message of the other node is on its way.
    const [bans, revocations] = [nodes.get(0, BanStore), nodes.get(0, RevocationStore)];
    for (const key of ['far-1', 'far-2']) await bans.put({ ...common, kind: 'user', key, by: 'operator' });
    for (const key of ['far-3', 'far-4']) await revocations.put({ ...since, kind: 'rights', key, roles: [] });
    for (const key of ['far-5', 'far-6']) await revocations.put({ ...since, kind: 'user', key });
    const attempts: [endpoint: string, body?: object][] = [
      ['DELETE /api/bans/user/far-1'],
      ['POST /api/bans', { kind: 'user', key: 'far-2', durationMs: 1 }],
      ['DELETE /api/users/far-3/rights'],
      ['PUT /api/users/far-4/rights', { roles: ['SERVICE'] }],
      ['DELETE /api/revocations/user/far-5'],
      ['POST /api/revocations', { kind: 'user', key: 'far-6' }],
    ];
    for (const [endpoint, body] of attempts) {
      const { status, body: answer } = await api(nodes.at(1), endpoint, { body });
      expect({ endpoint, status }).toEqual({ endpoint, status: 403 });
      expect(answer).toMatchObject({ detail: 'An ADMIN gave this order, so only an ADMIN can undo it' });
    }
    for (const sub of ['far-1', 'far-2']) {
      await using banned = open(nodes.at(1).url, { claims: { sub } });
      expect(await banned.closed).toEqual(TOO_MANY);
    }
    const orders = ['bans/user/far-1', 'bans/user/far-2', 'users/far-3/rights', 'users/far-4/rights'];
    for (const order of [...orders, 'revocations/user/far-5', 'revocations/user/far-6'])
      expect((await api(nodes.at(1), `DELETE /api/${order}`, { token })).status).toBe(204);
  });

  it('refuses operators who undo an order about themselves, also where the node has not heard of it', async () => {
    const own = mintToken({ sub: 'own-chief', roles: ['ADMIN'] });
    const order = { key: 'own-chief', until: Date.now() + 60_000, reason: '', givenAs: 'SERVICE' } as const;
    await nodes.get(0, BanStore).put({ ...order, kind: 'user', by: 'operator' });
    const revocations = nodes.get(0, RevocationStore);
    await revocations.put({ ...order, kind: 'user', issuedBefore: 1 });
    await revocations.put({ ...order, kind: 'rights', issuedBefore: 1, roles: [] });
    const attempts: [endpoint: string, body?: object][] = [
      ['DELETE /api/bans/user/own-chief'],
      ['POST /api/bans', { kind: 'user', key: 'own-chief', durationMs: 1 }],
      ['DELETE /api/revocations/user/own-chief'],
      ['PUT /api/users/own-chief/rights', { roles: ['ADMIN'] }],
      ['DELETE /api/users/own-chief/rights'],
    ];
    for (const [endpoint, body] of attempts) {
      const { status } = await api(nodes.at(1), endpoint, { body, token: own });
      expect({ endpoint, status }).toEqual({ endpoint, status: 403 });
    }
    for (const endpoint of attempts.filter(([call]) => call.startsWith('DELETE')).map(([call]) => call))
      expect((await api(nodes.at(1), endpoint)).status).toBe(204);
  });

  it('has diagnostics of the node that is asked, and names the other one where that is meant', async () => {
    const token = mintToken({ sub: 'root', roles: ['ADMIN'] });
    const { status, body } = await api(nodes.at(0), 'GET /api/diagnostics/queues?nodeId=node-2', { token });
    expect(status).toBe(421);
    expect(body).toMatchObject({
      title: 'Misdirected Request',
      detail: expect.stringContaining('Ask node-2') as string,
    });
    const there = await api(nodes.at(1), 'GET /api/diagnostics/queues?nodeId=node-2', { token });
    expect(there.body).toMatchObject({
      cluster: { commands: expect.any(Number) as number, publications: 0, questions: 0 },
    });
  });

  it('adds up the subscribers of a channel', async () => {
    await using here = await connectTo(0, 'grace');
    await using there = await connectTo(1, 'heidi');
    await using more = await connectTo(1, 'ivan');
    for (const client of [here, there, more]) await client.request('subscribe', { channel: 'telemetry:sum' });
    const { body } = await api(nodes.at(0), 'GET /api/channels?after=telemetry');
    expect(body).toMatchObject({
      channels: [{ channel: 'telemetry:sum', subscribers: 3, nodes: { 'node-1': 1, 'node-2': 2 } }],
      missing: [],
    });
  });

  it('finds a session and its subscriptions wherever it is, and the subscribers of a channel page by page', async () => {
    await using here = await connectTo(0, 'kim');
    await using there = await connectTo(1, 'kimberley');
    for (const client of [here, there]) await client.request('subscribe', { channel: 'feed:found' });
    const { sessions } = (await api(nodes.at(0), 'GET /api/sessions?prefix=kim')).body as {
      sessions: { sessionId: string; userId: string; nodeId: string; subscriptions: number }[];
    };
    expect(sessions.map(({ userId, subscriptions }) => ({ userId, subscriptions })).sort(byUser)).toEqual([
      { userId: 'kim', subscriptions: 1 },
      { userId: 'kimberley', subscriptions: 1 },
    ]);
    const other = sessions.find(({ nodeId }) => nodeId === 'node-2')?.sessionId ?? '';
    expect((await api(nodes.at(0), `GET /api/sessions/${other}`)).body).toMatchObject({ userId: 'kimberley' });
    const ofOther = (await api(nodes.at(0), `GET /api/sessions/${other}/subscriptions`)).body;
    expect(ofOther).toMatchObject({ nodeId: 'node-2', subscriptions: [{ channel: 'feed:found' }] });
    const path = 'GET /api/channels/feed:found/subscribers?limit=1';
    const first = (await api(nodes.at(0), path)).body as { subscribers: unknown[]; after: string };
    const second = (await api(nodes.at(0), `${path}&after=${first.after}`)).body as { subscribers: unknown[] };
    expect(second).not.toHaveProperty('after');
    const found = [...first.subscribers, ...second.subscribers] as { sessionId: string }[];
    expect(found.map(({ sessionId }) => sessionId)).toEqual(sessions.map(({ sessionId }) => sessionId));
    expect((await api(nodes.at(0), 'GET /api/sessions/nobody')).status).toBe(404);
  });

  it('shows what every node does, and the newest audit lines of all', async () => {
    const { body } = await api(nodes.at(1), 'GET /api/activity');
    const redis = { engine: 'redis', isEngineUp: true };
    const both = [
      { nodeId: 'node-1', ...redis },
      { nodeId: 'node-2', ...redis },
    ];
    expect(body).toMatchObject({ nodes: both, missing: [] });
    const token = mintToken({ sub: 'ann', roles: ['ADMIN'] });
    const { lines } = (await api(nodes.at(1), 'GET /api/audit?limit=500', { token })).body as {
      lines: { nodeId: string; event: string }[];
    };
    const started = lines.filter(({ event }) => event === 'started').map(({ nodeId }) => nodeId);
    expect(started.sort()).toEqual(['node-1', 'node-2']);
  });

  it('bans on all nodes', async () => {
    await using there = await connectTo(1, 'judy');
    const ban = { kind: 'user', key: 'judy', durationMs: 60_000 };
    expect((await api(nodes.at(0), 'POST /api/bans', { body: ban })).body).toEqual({ sessions: 1 });
    expect((await there.closed).code).toBe(4409);
    expect((await api(nodes.at(1), 'GET /api/bans')).body).toMatchObject({ bans: [{ kind: 'user', key: 'judy' }] });
  });

  it('changes what all nodes log, or one of them, and says who did not answer', async () => {
    const token = mintToken({ sub: 'ann', roles: ['ADMIN'] });
    const set = async (index: number, levels: string, nodeId?: string): Promise<unknown> =>
      (await api(nodes.at(index), 'PUT /api/logs/levels', { body: { levels, nodeId }, token })).body;
    const both = [
      { nodeId: 'node-1', levels: 'info,app=debug' },
      { nodeId: 'node-2', levels: 'info,app=debug' },
    ];
    expect(await set(0, 'info,app=debug')).toMatchObject({ nodes: both, missing: [] });
    expect(await set(0, 'warn', 'node-2')).toMatchObject({ nodes: [{ nodeId: 'node-2', levels: 'warn' }] });
    const { body } = await api(nodes.at(1), 'GET /api/logs/levels', { token });
    const seen = new Map((body as LogLevelsAnswer).nodes.map(({ nodeId, levels }) => [nodeId, levels]));
    expect(Object.fromEntries(seen)).toEqual({ 'node-1': 'info,app=debug', 'node-2': 'warn' });
    const told = nodes.at(1).logLines.filter(({ msg }) => msg === 'log levels changed');
    expect(told).toMatchObject([
      { levels: 'info,app=debug', by: 'ann' },
      { levels: 'warn', by: 'ann' },
    ]);
    expect((await api(nodes.at(0), 'DELETE /api/logs/levels?nodeId=node-9', { token })).status).toBe(404);
    const restored = (await api(nodes.at(0), 'DELETE /api/logs/levels?nodeId=node-2', { token })).body;
    expect(restored).toMatchObject({ nodes: [{ nodeId: 'node-2', levels: 'info' }] });
    expect((await api(nodes.at(0), 'DELETE /api/logs/levels', { token })).body).toMatchObject({ nodes: [{}, {}] });
  });

  it('drains another node, and then routes clients past it', async () => {
    await using client = await connectTo(1, 'mallory');
    const { status, body } = await api(nodes.at(0), 'POST /api/drain', { body: { nodeId: 'node-2' } });
    expect({ status, body }).toMatchObject({ status: 200, body: { nodeId: 'node-2', sessions: 1 } });
    expect((await client.closed).code).toBe(1012);
    const isReady = async (): Promise<unknown> => {
      const { nodes: all } = (await api(nodes.at(0), 'GET /api/nodes')).body as { nodes: Record<string, unknown>[] };
      return all.find(({ nodeId }) => nodeId === 'node-2')?.isReady;
    };
    await expect.poll(isReady).toBe(false);
    expect((await api(nodes.at(0), 'GET /route')).body).toMatchObject({ nodeId: 'node-1' });
  });
});

describe('the server API while Redis is away', () => {
  it('refuses with 503 and Retry-After what it could not keep to, and goes on', async () => {
    await using redis = await RedisServer.start();
    await using server = await startTestServer({ REDIS_URL: redis.url });
    await using another = await startTestServer({ REDIS_URL: redis.url, SERVER_ID: 'another' });
    await eventually('they know each other', async () => {
      const { body } = await api(server, 'GET /api/nodes');
      return (body as { nodes: unknown[] }).nodes.length === 2;
    });
    await redis.kill();
    const calls = [
      ['POST /api/publish', { body: { channel: 'feed:x', data: 1 } }],
      ['POST /api/broadcast', { body: { data: 1 }, headers: { 'idempotency-key': 'k' } }],
      ['GET /api/channels/feed:x/history', {}],
      ['POST /api/drain', { body: { nodeId: 'another' } }],
    ] as const;
    for (const [endpoint, call] of calls) {
      const { status, headers, body } = await api(server, endpoint, call);
      expect({ endpoint, status, body }).toMatchObject({ endpoint, status: 503, body: { code: 'SERVER_BUSY' } });
      expect(headers.get('retry-after')).toBe('1');
    }
    expect((await api(server, 'POST /api/broadcast', { body: { data: 1 } })).status).toBe(200);
    expect((await api(another, 'GET /api/nodes')).status).toBe(200);
  });
});

function byUser(left: { userId: string }, right: { userId: string }): number {
  return left.userId < right.userId ? -1 : 1;
}

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BusiestAnswer } from '../../src/server-api/sessions/sessions.requests.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import type { Session } from '../../src/sessions/session.js';
import { api } from '../support/api-client.js';
import { sharedServer, sharedServers } from '../support/shared-server.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const serverWith = sharedServers();

const text = expect.any(String) as string;
const number = expect.any(Number) as number;
const ENDED = { code: 4409, reason: 'Session ended' };

interface Page {
  readonly sessions: readonly { readonly sessionId: string; readonly userId: string }[];
  readonly after?: string;
}

async function page(server: TestServer, query = ''): Promise<Page> {
  return (await api(server, `GET /api/sessions${query}`)).body as Page;
}

async function idOf(client: TestClient): Promise<string> {
  const { data } = await client.request('hello');
  return (data as { sessionId: string }).sessionId;
}

describe('GET /api/sessions', () => {
  it('shows each session: who, where, since when, how much', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url, { claims: { sub: 'alice', roles: ['MEMBER'] } });
    const sessionId = await idOf(client);
    const { status, body } = await api(server, 'GET /api/sessions');
    const session = { sessionId, userId: 'alice', roles: ['MEMBER'], nodeId: 'test-node', address: '127.0.0.1' };
    const counts = { protocol: text, openedAt: number, messagesReceived: 1, messagesSent: 1 };
    const queues = { subscriptions: 0, queuedBytes: 0 };
    const sessions = [{ ...session, ...counts, ...queues }];
    expect({ status, body }).toEqual({ status: 200, body: { sessions, missing: [] } });
  });

  it('shows those of one user', async () => {
    await using server = await startTestServer();
    await using alice = await connect(server.url, { claims: { sub: 'alice' } });
    await using bob = await connect(server.url, { claims: { sub: 'bob' } });
    await Promise.all([alice, bob].map(idOf));
    expect((await page(server, '?userId=bob')).sessions.map(({ userId }) => userId)).toEqual(['bob']);
    expect((await page(server, '?userId=nobody')).sessions).toEqual([]);
  });

  it('finds those whose user or session begins with a text, and never an anonymous one by its hidden user', async () => {
    await using server = await startTestServer({ AUTH_MODE: 'optional' });
    await using alice = await connect(server.url, { claims: { sub: 'alice' } });
    await using alina = await connect(server.url, { claims: { sub: 'alina' } });
    await using bob = await connect(server.url, { claims: { sub: 'bob' } });
    await using guest = await connect(server.url, { claims: false });
    const [id = ''] = await Promise.all([alice, alina, bob, guest].map(idOf));
    const { userId: hidden } = (await guest.request('hello')).data as { userId: string };
    const found = async (query: string) => (await page(server, query)).sessions.map(({ userId }) => userId).sort();
    expect(await found('?prefix=ali')).toEqual(['alice', 'alina']);
    expect(await found('?prefix=ali&userId=alice')).toEqual(['alice']);
    expect(await found(`?prefix=${id}`)).toEqual(['alice']);
    expect(await found('?prefix=lice')).toEqual([]);
    if (typeof hidden === 'string') expect(await found(`?prefix=${hidden.slice(0, 20)}`)).toEqual([]);
  });

  it('finds those of one address', async () => {
    await using server = await startTestServer({ TRUST_PROXY: '1' });
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    await using here = await connect(server.url, { claims: { sub: 'alice' }, ...from('203.0.113.7') });
    await using there = await connect(server.url, { claims: { sub: 'bob' }, ...from('203.0.113.8') });
    await Promise.all([here, there].map(idOf));
    expect((await page(server, '?address=203.0.113.8')).sessions.map(({ userId }) => userId)).toEqual(['bob']);
    expect((await page(server, '?address=203.0.113')).sessions).toEqual([]);
  });

  it('brings every session once, page by page, and the last page says so', async () => {
    await using server = await startTestServer();
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(server.url)));
    const ids = (await Promise.all(clients.map(idOf))).sort();
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const next: Page = await page(server, `?limit=2${after === undefined ? '' : `&after=${after}`}`);
      seen.push(...next.sessions.map(({ sessionId }) => sessionId));
      ({ after } = next);
    } while (after !== undefined);
    expect(seen).toEqual(ids);
    const full = await page(server, '?limit=5');
    expect(full.sessions).toHaveLength(5);
    expect(full).not.toHaveProperty('after');
  });

  it('says of the largest page that there is more', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    const sessions = server.app.get(SessionRegistry, { strict: false });
    const session = sessions.get(await idOf(client)) as Session;
    // A thousand connections more would show no more, and cost seconds of a processor.
    const standIns = Array.from(
      { length: 1_000 },
      () => Object.create(session, { id: { value: randomUUID() } }) as Session,
    );
    for (const standIn of standIns) sessions.add(standIn);
    const first = await page(server, '?limit=1000');
    expect(first.sessions).toHaveLength(1_000);
    const last = await page(server, `?limit=1000&after=${first.after}`);
    expect(last.sessions).toHaveLength(1);
    expect(last).not.toHaveProperty('after');
    for (const standIn of standIns) sessions.remove(standIn, 1000, '');
  });

  describe('a query that is not valid', () => {
    const server = sharedServer();
    it.each([
      'limit=0',
      'limit=1001',
      'limit=x',
      'limit=1&limit=2',
      'limit=',
      'limit=1e2',
      'after=',
      'user=alice',
      'limit[]=1',
    ])('is refused: ?%s', async (query) => {
      const { status, body } = await api(server(), `GET /api/sessions?${query}`);
      expect({ status, body }).toMatchObject({ status: 422, body: { code: 'VALIDATION_FAILED' } });
    });
  });
});

describe('GET /api/sessions/busiest', () => {
  const busiest = async (server: TestServer, query = ''): Promise<BusiestAnswer> =>
    (await api(server, `GET /api/sessions/busiest${query}`)).body as BusiestAnswer;

  it('lists who sends, those that send the most first, and leaves out who is silent', async () => {
    await using server = await startTestServer();
    await using flooder = await connect(server.url, { claims: { sub: 'flooder' } });
    await using talker = await connect(server.url, { claims: { sub: 'talker' } });
    await using silent = await connect(server.url, { claims: { sub: 'silent' } });
    await silent.request('ping');
    const traffic = setInterval(() => {
      for (let n = 0; n < 10; n += 1) flooder.send({ type: 'echo', id: n });
      talker.send({ type: 'echo', id: 1 });
    }, 10);
    try {
      const { sessions, missing } = await busiest(server);
      expect(sessions.map(({ userId }) => userId)).toEqual(['flooder', 'talker']);
      expect(missing).toEqual([]);
      const [first, second] = sessions;
      expect(first?.receivedPerSecond).toBeGreaterThan(2 * (second?.receivedPerSecond ?? Infinity));
      expect(first?.sentPerSecond).toBeGreaterThan(0);
      expect((await busiest(server, '?limit=1')).sessions).toMatchObject([{ userId: 'flooder' }]);
    } finally {
      clearInterval(traffic);
    }
  });

  it('takes a limit of 1 to 50', async () => {
    const server = await serverWith();
    for (const limit of [0, 51, 'all']) {
      expect((await api(server, `GET /api/sessions/busiest?limit=${limit}`)).status).toBe(422);
    }
  });
});

describe('GET /api/sessions/{id}', () => {
  it('shows its rights and its queues besides what the list shows', async () => {
    await using server = await startTestServer();
    const channels = { 'room:*': ['subscribe', 'publish'] };
    await using client = await connect(server.url, { claims: { sub: 'alice', channels, exp: 4_000_000_000 } });
    const { status, body } = await api(server, `GET /api/sessions/${await idOf(client)}`);
    const rights = { channels, expiresAt: 4_000_000_000_000, hasChangedRights: false };
    const queues = { queuedMessages: 0, queuedBytes: 0, waitingMessages: 0, waitingBytes: 0, subscriptions: 0 };
    expect({ status, body }).toMatchObject({ status: 200, body: { userId: 'alice', ...rights, ...queues } });
    await api(server, 'PUT /api/users/alice/rights', { body: { roles: ['MEMBER'], channels: {} } });
    const after = (await api(server, `GET /api/sessions/${await idOf(client)}`)).body;
    expect(after).toMatchObject({ roles: ['MEMBER'], channels: {}, hasChangedRights: true });
  });

  it.each(['', '/subscriptions'])('is 404 where there is no such session: %s', async (suffix) => {
    const server = await serverWith();
    const { status, body } = await api(server, `GET /api/sessions/nobody${suffix}`);
    expect({ status, body }).toMatchObject({ status: 404, body: { detail: 'No such session' } });
  });
});

describe('GET /api/sessions/{id}/subscriptions', () => {
  it('lists its channels page by page, without those that only carry presence', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url, { claims: { sub: 'alice' } });
    for (const channel of ['room:c', 'feed:b', 'room:a']) {
      await client.request('subscribe', { channel, ...(channel === 'room:a' && { presence: true }) });
    }
    const path = `GET /api/sessions/${await idOf(client)}/subscriptions`;
    const by = { grantedBy: 'rights' };
    const feed = { channel: 'feed:b', namespace: 'feed', ...by };
    const rooms = ['room:a', 'room:c'].map((channel) => ({ channel, namespace: 'room', ...by }));
    const first = { nodeId: 'test-node', subscriptions: [feed, rooms[0]], after: 'room:a' };
    expect((await api(server, `${path}?limit=2`)).body).toEqual(first);
    const last = { nodeId: 'test-node', subscriptions: [rooms[1]] };
    expect((await api(server, `${path}?limit=2&after=room:a`)).body).toEqual(last);
    expect((await api(server, `${path}?limit=3`)).body).not.toHaveProperty('after');
  });
});

describe('DELETE /api/sessions/{id}', () => {
  it('ends that session with 4409 and no other', async () => {
    await using server = await startTestServer();
    await using ended = await connect(server.url);
    await using other = await connect(server.url);
    const { status, body } = await api(server, `DELETE /api/sessions/${await idOf(ended)}`);
    expect({ status, body }).toEqual({ status: 204, body: undefined });
    expect(await ended.closed).toEqual(ENDED);
    expect(await idOf(other)).toEqual(text);
  });

  it('is 404 where there is no such session', async () => {
    const server = await serverWith();
    const { status, body } = await api(server, 'DELETE /api/sessions/5f2b8c1e-9d43-4d0a-8a55-0b1f6c7e2d34');
    expect({ status, body }).toMatchObject({ status: 404, body: { detail: 'No such session' } });
  });

  it('refuses what is too long to be an id', async () => {
    const server = await serverWith();
    expect((await api(server, `DELETE /api/sessions/${'x'.repeat(65)}`)).status).toBe(422);
  });
});

describe('DELETE /api/users/{userId}/sessions', () => {
  it('ends all sessions of the user with 4409, and counts them', async () => {
    await using server = await startTestServer();
    await using first = await connect(server.url, { claims: { sub: 'bob' } });
    await using second = await connect(server.url, { claims: { sub: 'bob' } });
    await using other = await connect(server.url, { claims: { sub: 'alice' } });
    const { status, body } = await api(server, 'DELETE /api/users/bob/sessions');
    expect({ status, body }).toEqual({ status: 200, body: { sessions: 2 } });
    expect([await first.closed, await second.closed]).toEqual([ENDED, ENDED]);
    expect(await idOf(other)).toEqual(text);
  });

  it('ends none of a user who is not there', async () => {
    const server = await serverWith();
    expect((await api(server, 'DELETE /api/users/nobody/sessions')).body).toEqual({ sessions: 0 });
  });
});

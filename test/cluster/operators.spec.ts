import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { Bans } from '../../src/access/lists/bans.js';
import { SessionTermination } from '../../src/access/session-termination.js';
import { BusiestSessions } from '../../src/broadcast/busiest-sessions.js';
import { ClusterSessions } from '../../src/broadcast/cluster-sessions.js';
import type { SessionSummary } from '../../src/broadcast/session-summary.js';
import { TOO_MANY } from '../support/closes.js';
import { eventually } from '../support/eventually.js';
import { connect, open } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import { startTestServer } from '../support/test-server.js';

const ENDED = { code: 4409, reason: 'Session ended' };
const HOUR_MS = 3_600_000;

function as(nodes: TestNodes, index: number, sub: string) {
  return connect(nodes.at(index).url, { claims: { sub } });
}

describe('who is expelled', () => {
  it('is closed with 4409 on every node, and nobody else is', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using here = await as(nodes, 0, 'mallory');
    await using there = await as(nodes, 1, 'mallory');
    await using bob = await as(nodes, 1, 'bob');
    expect(await nodes.get(0, SessionTermination).user('mallory', 'Enough')).toBe(2);
    expect(await here.closed).toEqual({ code: 4409, reason: 'Enough' });
    expect(await there.closed).toEqual({ code: 4409, reason: 'Enough' });
    expect(await bob.request('echo', 1)).toMatchObject({ data: 1 });
    expect(await nodes.get(0, SessionTermination).user('nobody')).toBe(0);
    // Not banned, so it may come back.
    await using again = await as(nodes, 1, 'mallory');
    expect(await again.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('may be one session, wherever it is', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using first = await as(nodes, 1, 'mallory');
    await using second = await as(nodes, 1, 'mallory');
    const [session] = nodes.sessions(1).ofUser('mallory');
    expect(await nodes.get(0, SessionTermination).session(session?.id ?? '')).toBe(1);
    expect(await nodes.get(0, SessionTermination).session('no such session')).toBe(0);
    expect(await first.closed).toEqual(ENDED);
    expect(await second.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('reads as much of the reason as a close frame holds', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url, { claims: { sub: 'mallory' } });
    expect(await server.app.get(SessionTermination, { strict: false }).user('mallory', '€'.repeat(100))).toBe(1);
    expect(await client.closed).toEqual({ code: 4409, reason: '€'.repeat(41) });
  });
});

describe('who sends the most', () => {
  it('is found on whatever node it is', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using flooder = await as(nodes, 1, 'flooder');
    const traffic = setInterval(() => flooder.send({ type: 'ping' }), 10);
    const { sessions, missing } = await nodes.get(0, BusiestSessions).read(5);
    clearInterval(traffic);
    expect({ sessions, missing }).toMatchObject({ sessions: [{ userId: 'flooder', nodeId: 'b' }], missing: [] });
  });
});

describe('a ban', () => {
  it('of a user ends its sessions and keeps it out on every node, until it is lifted', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using client = await as(nodes, 1, 'mallory');
    await using bob = await as(nodes, 1, 'bob');
    const bans = nodes.get(0, Bans);
    expect(await bans.ban({ kind: 'user', key: 'mallory', durationMs: HOUR_MS, reason: 'spam' })).toBe(1);
    expect(await client.closed).toEqual(ENDED);
    for (const index of [0, 1]) {
      await using refused = open(nodes.at(index).url, { claims: { sub: 'mallory' } });
      expect(await refused.closed).toEqual(TOO_MANY);
    }
    expect(await bob.request('echo', 1)).toMatchObject({ data: 1 });
    expect(await nodes.get(1, Bans).list()).toMatchObject([{ kind: 'user', key: 'mallory', reason: 'spam' }]);

    expect(await nodes.get(1, Bans).lift('user', 'mallory')).toBe(true);
    expect(await nodes.get(1, Bans).lift('user', 'mallory')).toBe(false);
    await eventually('the other node lifts it too', () => bans.activeCount === 0);
    await using again = await as(nodes, 0, 'mallory');
    expect(await again.request('echo', 1)).toMatchObject({ data: 1 });
    expect(await bans.list()).toEqual([]);
  });

  it('that a breach caused holds on every node', async () => {
    await using nodes = await TestNodes.start(['a', 'b'], { CONNECTION_RATE_PER_IP: '1' });
    await using first = await as(nodes, 0, 'ann');
    await using breach = open(nodes.at(0).url);
    expect(await breach.closed).toEqual(TOO_MANY);
    await eventually('the other node knows', () => nodes.get(1, Bans).activeCount === 1);
    await using refused = open(nodes.at(1).url);
    expect(await refused.closed).toEqual(TOO_MANY);
    expect(await first.request('echo', 1)).toMatchObject({ data: 1 });
    expect(await nodes.get(1, Bans).list()).toMatchObject([{ kind: 'address', key: '127.0.0.1' }]);
  });

  it('is known to a node that starts later', async () => {
    await using nodes = await TestNodes.start(['a']);
    await nodes.get(0, Bans).ban({ kind: 'user', key: 'mallory', durationMs: HOUR_MS, reason: 'spam' });
    await using late = await startTestServer({ REDIS_URL: nodes.redis.url, SERVER_ID: 'late' });
    await eventually('it has read the list', () => late.app.get(Bans, { strict: false }).activeCount === 1);
    await using refused = open(late.url, { claims: { sub: 'mallory' } });
    expect(await refused.closed).toEqual(TOO_MANY);
  });

  it('made while Redis is away holds here at once, and everywhere when Redis is back', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using there = await as(nodes, 1, 'mallory');
    await nodes.redis.kill();
    const order = { kind: 'user', key: 'mallory', durationMs: HOUR_MS, reason: 'spam' } as const;
    await expect(nodes.get(0, Bans).ban(order)).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    await expect(nodes.get(0, Bans).lift('user', 'mallory')).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    await using refused = open(nodes.at(0).url, { claims: { sub: 'mallory' } });
    expect(await refused.closed).toEqual(TOO_MANY);
    expect(await nodes.get(0, Bans).list()).toHaveLength(1);

    await nodes.redis.restart();
    expect(await there.closed).toEqual(ENDED);
    await eventually('it is in the list of all', async () => (await nodes.get(1, Bans).list()).length === 1);
  });

  it('holds though Redis comes back with a state from before it', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    const client = new Redis(nodes.redis.url);
    client.on('error', () => {});
    // The name of its life is the first entry of a list, written by the node that reads it first.
    await eventually('a node has read the list', async () => (await client.keys('*:{bans}:list')).length === 1);
    const [list = ''] = await client.keys('*:{bans}:list');
    await client.save();
    const order = { kind: 'user', key: 'mallory', durationMs: HOUR_MS, reason: 'spam' } as const;
    await nodes.get(0, Bans).ban(order);
    await nodes.redis.kill();
    await nodes.redis.restart();
    await eventually('it is in the list again', async () => (await client.hlen(list)) === 2);
    client.disconnect();
    expect(await nodes.get(1, Bans).list()).toMatchObject([{ key: 'mallory' }]);
    await using refused = open(nodes.at(1).url, { claims: { sub: 'mallory' } });
    expect(await refused.closed).toEqual(TOO_MANY);
  });

  it('is an operator’s to make where BAN_DURATION_MS is 0, and of IPv6 means the whole /64', async () => {
    await using server = await startTestServer({ BAN_DURATION_MS: '0', TRUST_PROXY: '1' });
    const bans = server.app.get(Bans, { strict: false });
    await bans.ban({ kind: 'address', key: '2001:db8:0:1::7', durationMs: HOUR_MS, reason: 'scan' });
    expect(await bans.list()).toMatchObject([{ key: '2001:db8:0:1::/64' }]);
    await using refused = open(server.url, { headers: { 'x-forwarded-for': '2001:db8:0:1::8' } });
    expect(await refused.closed).toEqual(TOO_MANY);
    await using neighbour = await connect(server.url, { headers: { 'x-forwarded-for': '2001:db8:0:2::8' } });
    expect(await neighbour.request('echo', 1)).toMatchObject({ data: 1 });
    expect(await bans.lift('address', '2001:db8:0:1::9')).toBe(true);
    await using again = await connect(server.url, { headers: { 'x-forwarded-for': '2001:db8:0:1::8' } });
    expect(await again.request('echo', 1)).toMatchObject({ data: 1 });
  });
});

describe('the sessions of all nodes', () => {
  it('are listed in the order of their ids, page by page, and counted', async () => {
    await using nodes = await TestNodes.start(['a', 'b', 'c'], { AUTH_MODE: 'optional' });
    const clients = await Promise.all(
      Array.from({ length: 11 }, (_, n) => connect(nodes.at(n % 3).url, { claims: { sub: `user-${n % 4}` } })),
    );
    await using anonymous = await connect(nodes.at(1).url, { claims: false });
    expect(await anonymous.request('echo', 1)).toMatchObject({ data: 1 });
    const all = nodes.get(0, ClusterSessions);
    const ids = [0, 1, 2].flatMap((index) => [...nodes.sessions(index)].map(({ id }) => id)).sort();
    expect(await all.count()).toBe(12);

    const pages: SessionSummary[] = [];
    for (let afterId: string | undefined; ; afterId = pages.at(-1)?.sessionId) {
      const page = await all.list({ limit: 5, afterId });
      if (page.length === 0) break;
      pages.push(...page);
    }
    expect(pages.map(({ sessionId }) => sessionId)).toEqual(ids);
    expect(await all.list()).toEqual(pages);
    expect((await all.list({ userId: 'user-1' })).map(({ userId }) => userId)).toEqual(['user-1', 'user-1', 'user-1']);
    expect(pages.filter(({ userId }) => userId === null)).toEqual([
      {
        sessionId: expect.any(String),
        userId: null,
        roles: [],
        nodeId: 'b',
        address: '127.0.0.1',
        protocol: 'v1.json',
        openedAt: expect.any(Number),
        messagesReceived: 1,
        messagesSent: 1,
        subscriptions: 0,
        queuedBytes: 0,
      },
    ]);
    expect(await all.list({ limit: -1 })).toEqual([]);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });

  it('are those of the node itself where it is the only one', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url, { claims: { sub: 'ann' } });
    const all = server.app.get(ClusterSessions, { strict: false });
    expect([await all.count(), (await all.list()).map(({ userId }) => userId)]).toEqual([1, ['ann']]);
    expect(client.unread).toEqual([]);
  });
});

import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../config/version.js';
import { NodeRegistry } from '../../src/cluster/ports/node-registry.js';
import { Drain } from '../../src/lifecycle/drain.js';
import { RoutePlanner } from '../../src/lifecycle/route-planner.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { connect } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const number = expect.any(Number) as number;

const nodesOf = ({ app }: TestServer): NodeRegistry['nodes'] => app.get(NodeRegistry, { strict: false }).nodes;

/** The nodes that clients are sent to. */
function named({ app }: TestServer): string[] {
  const planner = app.get(RoutePlanner, { strict: false });
  return [...new Set(Array.from({ length: 50 }, () => planner.next()?.nodeId ?? 'none'))].sort();
}

const startNode = (redis: RedisServer, serverId: string, environment = {}): Promise<TestServer> =>
  startTestServer({ REDIS_URL: redis.url, SERVER_ID: serverId, ...environment });

describe('a node', () => {
  it('tells of itself as soon as it is ready: where it is, its version, and how busy it is', async () => {
    const startedAfter = Date.now();
    await using server = await startTestServer({ MAX_CONNECTIONS: '7' });
    expect(nodesOf(server)).toEqual([
      {
        nodeId: 'test-node',
        incarnation: expect.any(String) as string,
        url: server.url,
        version: VERSION,
        startedAt: number,
        isReady: true,
        load: { sessions: 0, maxSessions: 7, eventLoopLagMs: number, bufferedBytes: 0, processor: number },
      },
    ]);
    expect(nodesOf(server)[0]?.startedAt).toBeGreaterThanOrEqual(startedAfter);
    expect(VERSION).toMatch(/^\d+\.\d+\.\d+/);
    await using client = await connect(server.url);
    await eventually('it reports the session', () => nodesOf(server)[0]?.load.sessions === 1);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('is at PUBLIC_URL where that is set, and else at its host name where it listens everywhere', async () => {
    await using told = await startTestServer({ PUBLIC_URL: 'wss://node-1.example.com/ws' });
    expect(nodesOf(told)[0]?.url).toBe('wss://node-1.example.com/ws');
    await using untold = await startTestServer({ HOST: '' });
    expect(nodesOf(untold)[0]?.url).toBe(`ws://${hostname()}:${untold.port}/ws`);
  });

  it('names no node once it is full', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS: '1' });
    expect(named(server)).toEqual(['test-node']);
    await using client = await connect(server.url);
    await eventually('it is known to be full', () => named(server)[0] === 'none');
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });
});

describe('nodes on one Redis', () => {
  it('know each other, and send clients to each other until one drains', async () => {
    await using redis = await RedisServer.start();
    await using one = await startNode(redis, 'one');
    await using two = await startNode(redis, 'two', { MAX_CONNECTIONS: '1', RECONNECT_WINDOW_MS: '0' });
    for (const server of [one, two]) {
      await eventually('it knows both', () => nodesOf(server).length === 2);
      expect(new Set(nodesOf(server).map(({ url }) => url))).toEqual(new Set([one.url, two.url]));
      expect(named(server)).toEqual(['one', 'two']);
    }

    await using client = await connect(two.url);
    expect(two.app.get(Drain, { strict: false }).begin().reconnectWindowMs).toBeGreaterThan(0);
    expect((await client.closed).code).toBe(1012);
    await eventually('nobody is sent there', () => named(one).join() === 'one');
    expect(nodesOf(one)).toHaveLength(2);
    expect(named(two)).toEqual(['one']);

    await two.close();
    await eventually('it is forgotten', () => nodesOf(one).length === 1);
  });
});

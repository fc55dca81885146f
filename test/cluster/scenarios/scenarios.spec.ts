import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildServer, type Build } from '../../support/built-server.js';
import { eventually } from '../../support/eventually.js';
import { namespacesFile, type NamespacesFile } from '../../support/namespaces-file.js';
import { DURABLE, RedisServer } from '../../support/redis-server.js';
import { connect, type TestClient } from '../../support/test-client.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import * as faults from './faults.js';
import { Load, LOAD } from './load.js';
import { NAMESPACES, Nodes, REDIS_TIMEOUT_MS } from './nodes.js';
import { settled } from './verdict.js';
import { walk } from './walk.js';

const NODES = 3;
/** What partitions and restarts last: longer than any timeout of the nodes, shorter than any memory. */
const FAULT_MS = 5_000;
const SEED = Number(process.env.SCENARIO_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Short: `npm run test:scenarios` walks longer. */
const WALK_MS = Number(process.env.SCENARIO_SECONDS ?? 3) * 1_000;
vi.setConfig({ testTimeout: 900_000 + WALK_MS });

let build: Build;
let namespaces: NamespacesFile;

beforeAll(async () => {
  build = await buildServer();
  namespaces = namespacesFile(NAMESPACES);
});

afterAll(async () => {
  namespaces[Symbol.dispose]();
  await build[Symbol.asyncDispose]();
});

async function clientOf(port: number | undefined): Promise<TestClient> {
  return connect(`ws://127.0.0.1:${port}/ws`, { claims: { sub: 'observer' } });
}

describe('three nodes on one Redis, under load', { tags: ['redis'] }, () => {
  let world: faults.World;
  let redis: RedisServer;
  let proxies: TcpProxy[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start(DURABLE);
    proxies = await Promise.all(Array.from({ length: NODES }, () => TcpProxy.start(redis.port)));
    const environments = proxies.map(({ port }) => ({
      ...namespaces.environment,
      REDIS_URL: `redis://127.0.0.1:${port}`,
    }));
    world = { redis, proxies, nodes: await Nodes.start(build, environments) };
  });

  afterAll(async () => {
    await world?.nodes[Symbol.asyncDispose]();
    await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
    await redis?.[Symbol.asyncDispose]();
  });

  afterEach(async () => {
    redis.signal('SIGCONT');
    await world.nodes.heal();
  });

  it('without a fault: everyone sees everything, once and in order', async () => {
    await using load = await Load.start(world.nodes, 'calm');
    await load.flowsEverywhere();
    expect((await settled(load)).gaps).toBe(0);
  });

  it('a node that is cut off for five seconds: nothing is lost or doubled', async () => {
    await using load = await Load.start(world.nodes, 'partition');
    await faults.partitionNode(world, 0, FAULT_MS);
    await load.flows();
    expect((await settled(load)).gaps).toBe(0);
  });

  it('a node that alone does not reach Redis: nothing is lost or doubled', async () => {
    await using load = await Load.start(world.nodes, 'cut off from Redis');
    await faults.cutOffFromRedis(world, 2, 3 * REDIS_TIMEOUT_MS);
    await load.flows();
    expect((await settled(load)).gaps).toBe(0);
  });

  it('a node that is killed: its subscribers recover elsewhere, and its presence ends', async () => {
    await using load = await Load.start(world.nodes, 'kill');
    await world.nodes.end(1, 'SIGKILL');
    await load.flows();
    await using first = await clientOf(world.nodes.portOf(0));
    await using third = await clientOf(world.nodes.portOf(2));
    const members = LOAD.subscribers / LOAD.channels;
    for (const observer of [first, third]) {
      for (const { channel } of load.ledgers) {
        const hasOnlyTheLiving = async (): Promise<boolean> => {
          const { data } = await observer.request('presence', { channel });
          // One that is refused for the load is asked again.
          return (data as { count: number } | undefined)?.count === members;
        };
        await eventually(`${channel} has ${members} members`, hasOnlyTheLiving);
      }
    }
    const outcome = await settled(load);
    expect(outcome.gaps).toBe(0);
    expect(outcome.reconnects).toBeGreaterThan(0);
  });

  it('Redis restarted with its data: nothing is lost or doubled', async () => {
    await using load = await Load.start(world.nodes, 'restart');
    await faults.restartRedis(world, 1_000);
    await load.flows();
    expect((await settled(load)).gaps).toBe(0);
  });

  it('Redis restarted without its data: everyone is told of the gap, and all goes on', async () => {
    await using load = await Load.start(world.nodes, 'loss');
    await faults.emptyRedis(world, 1_000);
    await load.flows();
    await settled(load);
    expect(load.subscribers.filter(({ witness }) => witness.gaps.length === 0)).toEqual([]);
  });

  it('Redis connected and silent: publishes are refused before it speaks again, and nothing is lost', async () => {
    await using load = await Load.start(world.nodes, 'black hole');
    await using client = await clientOf(world.nodes.portOf(0));
    redis.signal('SIGSTOP');
    const answer = await client.request('publish', { channel: 'feed:elsewhere' });
    expect(answer).toMatchObject({ type: 'error', code: 'SERVER_BUSY' });
    await eventually('others are refused as well', () => load.refused > 0);
    redis.signal('SIGCONT');
    await load.flows();
    expect((await settled(load)).gaps).toBe(0);
  });

  it('a rolling restart: nothing is lost or doubled, and everyone returns within the window that 1012 names', async () => {
    await using load = await Load.start(world.nodes, 'rolling restart');
    for (let node = 0; node < world.nodes.count; node += 1) await faults.replaceNode(world, node);
    await load.flows();
    const outcome = await settled(load);
    expect(outcome.gaps).toBe(0);
    const returns = load.subscribers.flatMap(({ line }) => line.returns).filter(({ code }) => code === 1012);
    expect(returns.length).toBeGreaterThanOrEqual(LOAD.subscribers);
    expect(returns.filter(({ windowMs }) => !(windowMs > 0))).toEqual([]);
    const late = returns.filter(({ backMs, windowMs }) => backMs > windowMs / 4);
    expect(late.length).toBeGreaterThan(returns.length / 2);
  });

  it('a random walk over all of these', async () => {
    process.stdout.write(`To walk the same way again: SCENARIO_SEED=${SEED} npm run test:scenarios\n`);
    await using load = await Load.start(world.nodes, 'random walk');
    const hasLostData = await walk(world, SEED, WALK_MS);
    await load.flows();
    const { gaps } = await settled(load);
    if (!hasLostData) expect(gaps).toBe(0);
  });
});

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildServer, type Build } from '../../support/built-server.js';
import { eventually } from '../../support/eventually.js';
import { namespacesFile, type NamespacesFile } from '../../support/namespaces-file.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { DURABLE, RedisServer } from '../../support/redis-server.js';
import { connect, type TestClient } from '../../support/test-client.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import * as faults from './faults.js';
import { Load, LOAD, type Outcome } from './load.js';
import { Nodes, REDIS_TIMEOUT_MS } from './nodes.js';
import { walk } from './walk.js';

const NODES = 3;
/** What partitions and restarts last: longer than any timeout of the nodes, shorter than any memory. */
const FAULT_MS = 5_000;
const CALM_MS = 1_000;
/** Shorter than what a cluster takes for the death of a server. */
const LAG_MS = 500;
/** The longest that what a dead node left behind may be seen. */
const PRESENCE_MS = 30_000;
const SEED = Number(process.env.SCENARIO_SEED ?? Math.floor(Math.random() * 2 ** 31));
const WALK_MS = Number(process.env.SCENARIO_SECONDS ?? 12) * 1_000;
vi.setConfig({ testTimeout: 90_000 + WALK_MS, hookTimeout: 60_000 });

let build: Build;
let namespaces: NamespacesFile;

beforeAll(async () => {
  build = await buildServer();
  namespaces = namespacesFile({
    feed: 'subscribe: signed_in, publish: signed_in, presence: true, history: { size: 50000, age: 10m }',
  });
});

afterAll(async () => {
  namespaces[Symbol.dispose]();
  await build[Symbol.asyncDispose]();
});

/** Lets the load end, prints what it reached, and demands that everyone has seen everything, or been told what not. */
async function settled(load: Load): Promise<Outcome> {
  const outcome = await load.finish();
  process.stdout.write(outcome.line);
  expect(outcome.faults.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([]);
  return outcome;
}

async function clientOf(port: number | undefined): Promise<TestClient> {
  return connect(`ws://127.0.0.1:${port}/ws`, { claims: { sub: 'observer' } });
}

describe('three nodes on one Redis, under load', () => {
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
    await world.nodes.heal();
  });

  it('without a fault: everyone sees everything, once and in order', async () => {
    await using load = await Load.start(world.nodes, 'calm');
    await pause(CALM_MS);
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

  it('a node that is killed: its subscribers recover elsewhere, and its presence ends within 30 s', async () => {
    await using load = await Load.start(world.nodes, 'kill');
    await world.nodes.end(1, 'SIGKILL');
    const endedAt = performance.now();
    await load.flows();
    await using first = await clientOf(world.nodes.portOf(0));
    await using third = await clientOf(world.nodes.portOf(2));
    const members = LOAD.subscribers / LOAD.channels;
    for (const observer of [first, third]) {
      for (const { channel } of load.ledgers) {
        const hasOnlyTheLiving = async (): Promise<boolean> => {
          const { data } = await observer.request('presence', { channel });
          return (data as { count: number }).count === members;
        };
        await eventually(
          `${channel} has ${members} members`,
          hasOnlyTheLiving,
          endedAt + PRESENCE_MS - performance.now(),
        );
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

  it('Redis connected and silent for five seconds: publishes are refused before it speaks again, and nothing is lost', async () => {
    await using load = await Load.start(world.nodes, 'black hole');
    await using client = await clientOf(world.nodes.portOf(0));
    let isFrozen = true;
    const freeze = faults.freezeRedis(world, FAULT_MS).then(() => (isFrozen = false));
    const answer = await client.request('publish', { channel: 'feed:elsewhere' });
    expect(answer).toMatchObject({ type: 'error', code: 'SERVER_BUSY' });
    expect(isFrozen).toBe(true);
    await freeze;
    await load.flows();
    expect((await settled(load)).gaps).toBe(0);
    expect(load.refused).toBeGreaterThan(0);
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

describe('three nodes on a Redis Cluster, under load', () => {
  let cluster: RedisCluster;
  let nodes: Nodes;

  beforeAll(async () => {
    cluster = await RedisCluster.start({ replicas: 1 });
    const environment = { ...namespaces.environment, REDIS_URL: cluster.urls, REDIS_MODE: 'cluster' };
    nodes = await Nodes.start(build, Array.from({ length: NODES }, () => environment));
  });

  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  it('a master that is killed and replaced: nothing is lost without being announced', async () => {
    await using load = await Load.start(nodes, 'failover');
    const key = `gatehouse:{${load.ledgers[0]?.channel}}:log`;
    const owner = await cluster.ownerOf(key);
    await owner.kill();
    await cluster.replaced(owner, key);
    await load.flows();
    await settled(load);
    await owner.restart();
  });

  it('a master that is replaced by a replica that had fallen behind: what it did not have is announced', async () => {
    await using load = await Load.start(nodes, 'lagging replica');
    const key = `gatehouse:{${load.ledgers[0]?.channel}}:log`;
    await eventually('the master has a replica', async () => (await cluster.holdersOf(key)).length === 2, 15_000);
    const [master, replica] = await cluster.holdersOf(key);
    replica?.signal('SIGSTOP');
    await faults.cutRedis(master, 'replica');
    await pause(LAG_MS);
    await master.kill();
    replica?.signal('SIGCONT');
    await cluster.replaced(master, key);
    await load.flows();
    expect((await settled(load)).gaps).toBeGreaterThan(0);
  });
});

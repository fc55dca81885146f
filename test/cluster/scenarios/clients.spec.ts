import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildServer } from '../../support/built-server.js';
import { eventually } from '../../support/eventually.js';
import { namespacesFile, type NamespacesFile } from '../../support/namespaces-file.js';
import { DURABLE, RedisServer } from '../../support/redis-server.js';
import { ClientLoad, type ClientOutcome } from './client-load.js';
import * as faults from './faults.js';
import { Nodes } from './nodes.js';

const NODES = 3;
/** How long no node is up. Only `npm run test:soak` sets it, and then every fault comes alone, too. */
const AWAY_MS = Number(process.env.CLIENT_AWAY_MS ?? 0);
vi.setConfig({ testTimeout: 900_000 + 10 * AWAY_MS });

const ROOM = 'subscribe: signed_in, publish: subscribers, history: { size: 50000, age: 10m }';
const SETTINGS = { HEARTBEAT_INTERVAL_MS: '2000', HEARTBEAT_TIMEOUT_MS: '2000', JWT_CLOCK_TOLERANCE_MS: '0' };

type Happen = (load: ClientLoad, world: faults.World) => Promise<void>;

const killNode: Happen = async (_load, { nodes }) => void (await nodes.end(0, 'SIGKILL'));

const drainNode: Happen = async (_load, { nodes }) => {
  expect(await nodes.end(1, 'SIGTERM')).toMatchObject({ code: 0 });
};

const swallowBytes: Happen = async ({ users, fronts }) => {
  const behind = users.filter(({ front }) => front === 0);
  fronts[0]?.swallow();
  await eventually('they notice', () => behind.every(({ client }) => client.getSnapshot().state !== 'open'));
  fronts[0]?.cut();
  fronts[0]?.restore();
};

const loseTokens: Happen = async (load) => {
  const expiring = load.users.filter(({ hasShortTokens }) => hasShortTokens);
  load.areTokensAway = true;
  await eventually('they are out', () => expiring.every(({ client }) => client.getSnapshot().state !== 'open'));
  load.areTokensAway = false;
};

const beAway: Happen = async ({ users }, { nodes }) => {
  const running = [0, 1, 2].filter((node) => nodes.portOf(node) !== undefined);
  await Promise.all(running.map((node) => nodes.end(node, 'SIGKILL')));
  await eventually('all notice', () => users.every(({ client }) => client.getSnapshot().state !== 'open'));
  await pause(AWAY_MS);
  await nodes.startNode(0);
};

const restartAll: Happen = async (_load, world) => {
  for (let node = 0; node < NODES; node += 1) await faults.replaceNode(world, node);
};

async function settled(load: ClientLoad): Promise<ClientOutcome> {
  const outcome = await load.finish();
  process.stdout.write(outcome.line);
  expect(outcome.faults.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([]);
  return outcome;
}

describe('clients of the library and three nodes', { tags: ['redis'] }, () => {
  let world: faults.World;
  let namespaces: NamespacesFile;

  beforeAll(async () => {
    const [build, redis] = await Promise.all([buildServer(), RedisServer.start(DURABLE)]);
    namespaces = namespacesFile({ room: ROOM });
    const environment = { ...namespaces.environment, ...SETTINGS, REDIS_URL: redis.url };
    const nodes = await Nodes.start(
      build,
      Array.from({ length: NODES }, () => environment),
    );
    world = { nodes, redis, proxies: [] };
  });

  beforeEach(() => world.nodes.heal());

  afterAll(async () => {
    await world.nodes[Symbol.asyncDispose]();
    await world.redis[Symbol.asyncDispose]();
    namespaces[Symbol.dispose]();
  });

  it('load again, or are told, when Redis restarts empty', async () => {
    await using load = await ClientLoad.start(world.nodes, 'loss');
    await faults.emptyRedis(world, 0);
    await load.flows();
    await settled(load);
    expect(load.users.filter(({ reader }) => reader.losses.length === 0)).toEqual([]);
  });

  it('see every publication once and in order while nodes, network and tokens go away, one after the other', async () => {
    await using load = await ClientLoad.start(world.nodes, 'everything');
    for (const happen of [killNode, drainNode, swallowBytes, loseTokens, beAway]) {
      await happen(load, world);
      await load.flows();
    }
    expect((await settled(load)).losses).toEqual([]);
  });

  if (AWAY_MS === 0) return;

  it.each<[string, Happen]>([
    ['a node is killed', killNode],
    ['a node is drained', drainNode],
    ['a proxy swallows all bytes', swallowBytes],
    ['tokens expire and there are no new ones for a while', loseTokens],
    ['no node is up for a while', beAway],
    ['all nodes are replaced, one after the other', restartAll],
  ])('see every publication once and in order when %s', async (name, happen) => {
    await using load = await ClientLoad.start(world.nodes, name.replaceAll(' ', '-'));
    await happen(load, world);
    await load.flows();
    expect((await settled(load)).losses).toEqual([]);
  });
});

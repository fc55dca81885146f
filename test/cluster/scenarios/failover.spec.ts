// @module-tag redis
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildServer, type Build } from '../../support/built-server.js';
import { eventually } from '../../support/eventually.js';
import { namespacesFile, type NamespacesFile } from '../../support/namespaces-file.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import * as faults from './faults.js';
import { Load } from './load.js';
import { NAMESPACES, Nodes } from './nodes.js';
import { settled } from './verdict.js';

const NODES = 3;

vi.setConfig({ testTimeout: 900_000 });

describe('three nodes on a Redis Cluster, under load', () => {
  let build: Build;
  let namespaces: NamespacesFile;
  let cluster: RedisCluster;
  let nodes: Nodes;

  beforeAll(async () => {
    build = await buildServer();
    namespaces = namespacesFile(NAMESPACES);
    cluster = await RedisCluster.start({ replicas: 1 });
    const environment = { ...namespaces.environment, REDIS_URL: cluster.urls, REDIS_MODE: 'cluster' };
    nodes = await Nodes.start(
      build,
      Array.from({ length: NODES }, () => environment),
    );
  });

  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
    namespaces[Symbol.dispose]();
    await build[Symbol.asyncDispose]();
  });

  it('a master that is killed and replaced: nothing is lost without being announced', async () => {
    await using load = await Load.start(nodes, 'failover');
    const key = `gatehouse:{${load.ledgers[0]?.channel}}:log`;
    const owner = await cluster.ownerOf(key);
    await owner.kill();
    await cluster.replace(owner, key);
    await load.flows();
    await settled(load);
    await owner.restart();
  });

  it('a master that is replaced by a replica that had fallen behind: what it did not have is announced', async () => {
    await using load = await Load.start(nodes, 'lagging replica');
    const key = `gatehouse:{${load.ledgers[0]?.channel}}:log`;
    await eventually('the master has a replica', async () => (await cluster.holdersOf(key)).length === 2);
    const [master, replica] = await cluster.holdersOf(key);
    replica?.signal('SIGSTOP');
    await faults.cutRedis(master, 'replica');
    // None of it reaches the replica.
    await load.flowsEverywhere();
    await master.kill();
    replica?.signal('SIGCONT');
    await cluster.replace(master, key);
    await load.flows();
    expect((await settled(load)).gaps).toBeGreaterThan(0);
  });
});

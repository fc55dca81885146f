import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { Bans } from '../../src/access/lists/bans.js';
import { Broadcaster } from '../../src/broadcast/broadcaster.js';
import { ClusterSessions } from '../../src/broadcast/cluster-sessions.js';
import { NodeRegistry } from '../../src/cluster/ports/node-registry.js';
import { eventually } from '../support/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { connect, open } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

const HOUR_MS = 3_600_000;

describe('nodes that share a Redis Cluster', () => {
  it('speak to each other as those on one Redis do', async () => {
    await using redis = await RedisCluster.start();
    const environment = { REDIS_URL: redis.urls, REDIS_MODE: 'cluster', MAX_CONNECTIONS_PER_USER: '2' };
    await using a = await startTestServer({ ...environment, SERVER_ID: 'a' });
    await using b = await startTestServer({ ...environment, SERVER_ID: 'b' });
    const registry = a.app.get(NodeRegistry, { strict: false });
    await eventually('they know of each other', () => registry.nodes.length === 2);

    const outsider = new Redis(redis.servers[2]?.port ?? 0, '127.0.0.1');
    const directory: unknown[] = [];
    outsider.on('message', (_channel, text) => directory.push(JSON.parse(text)));
    await outsider.subscribe('websocket:connections');

    await using here = await connect(a.url);
    await using there = await connect(b.url);
    await using refused = open(b.url);
    expect((await refused.closed).code).toBe(4001);
    await eventually('both are in the directory', () => directory.length === 2);
    outsider.disconnect();

    a.app.get(Broadcaster, { strict: false }).toEveryone().emit('m', 1);
    for (const client of [here, there]) expect(await client.next()).toMatchObject({ type: 'm', data: 1 });
    expect(await a.app.get(Broadcaster, { strict: false }).toUser('alice').deliver('m', 2)).toBe(2);
    expect(await b.app.get(ClusterSessions, { strict: false }).count()).toBe(2);

    const bans = b.app.get(Bans, { strict: false });
    expect(await bans.ban({ kind: 'user', key: 'alice', durationMs: HOUR_MS, reason: 'a test' })).toBe(2);
    for (const client of [here, there]) expect((await client.closed).code).toBe(4409);
    expect(await a.app.get(Bans, { strict: false }).list()).toHaveLength(1);
  });
});

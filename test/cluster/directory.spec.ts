import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { ClusterEvents } from '../../src/cluster/ports/cluster-events.js';
import { ConnectionDirectory } from '../../src/cluster/ports/connection-directory.js';
import { RedisLink } from '../../src/cluster/redis/connection/redis-link.js';
import { RedisNodeRegistry } from '../../src/cluster/redis/registry/redis-node-registry.js';
import { eventually } from '../support/eventually.js';
import { connect } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import { NamedRegistry } from '../unit/cluster/shared-broker.js';

/** What an outside program hears. */
async function outsider(port: number) {
  const client = new Redis(port, '127.0.0.1');
  const heard: unknown[] = [];
  client.on('message', (_channel, text) => heard.push(JSON.parse(text)));
  await client.subscribe('websocket:connections');
  return { heard, [Symbol.dispose]: () => client.disconnect() };
}

describe('the connection directory', () => {
  it('tells outside programs of every connection that comes and goes, on whatever node', async () => {
    await using nodes = await TestNodes.start(['a', 'b'], { AUTH_MODE: 'optional', REDIS_PREFIX: 'elsewhere' });
    using directory = await outsider(nodes.redis.port);
    await using alice = await connect(nodes.at(0).url);
    const [aliceId] = [...nodes.sessions(0)].map(({ id }) => id);
    await using nobody = await connect(nodes.at(1).url, { claims: false });
    const [nobodyId] = [...nodes.sessions(1)].map(({ id }) => id);
    await alice[Symbol.asyncDispose]();
    await eventually('three entries have come', () => directory.heard.length === 3);
    expect(new Set(directory.heard)).toEqual(
      new Set([
        { action: 'add', clientId: aliceId, userId: 'alice', serverId: 'a' },
        { action: 'remove', clientId: aliceId, userId: 'alice', serverId: 'a' },
        { action: 'add', clientId: nobodyId, userId: null, serverId: 'b' },
      ]),
    );
    expect(nobody.unread).toEqual([]);
  });

  it('tells of those that a drain ends', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    using directory = await outsider(nodes.redis.port);
    await using client = await connect(nodes.at(0).url);
    await nodes.at(0).close();
    await client.closed;
    await eventually('the removal has come', () => directory.heard.length === 2);
    expect(directory.heard).toMatchObject([{ action: 'add' }, { action: 'remove', serverId: 'a' }]);
  });

  it('counts what it cannot tell while Redis is away, and disturbs nobody', async () => {
    await using nodes = await TestNodes.start(['a']);
    let lost = 0;
    nodes.get(0, ClusterEvents).on('lost', (what, count) => (lost += what === 'directory' ? count : 0));
    await nodes.redis.kill();
    await using client = await connect(nodes.at(0).url);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    await eventually('the entry is counted as lost', () => lost === 1);
  });
});

describe('a node whose name Redis has lost', () => {
  it('enters its connections anew, for others may have struck them out', async () => {
    await using nodes = await TestNodes.start(['a']);
    await using client = await connect(nodes.at(0).url);
    await nodes.redis.kill();
    await nodes.redis.restart();
    using directory = await outsider(nodes.redis.port);
    await eventually('the entry is made anew', () => directory.heard.length > 0);
    const [session] = nodes.sessions(0);
    expect(directory.heard).toEqual([{ action: 'add', clientId: session?.id, userId: 'alice', serverId: 'a' }]);
    expect(client.unread).toEqual([]);
  });
});

describe('a node that is lost', () => {
  it('is struck out by those that are left, once its lease has run out', async () => {
    await using nodes = await TestNodes.start(['a']);
    using directory = await outsider(nodes.redis.port);
    // It reports once, and never again.
    const settings = { redisUrl: nodes.redis.url, redisMode: 'standalone', redisPrefix: 'gatehouse' } as const;
    const link = new RedisLink({ ...settings, redisTimeoutMs: 60_000, serverId: 'gone' });
    await link.opened();
    const load = { sessions: 0, maxSessions: 0, eventLoopLagMs: 0, bufferedBytes: 0, processor: 0 };
    const report = { url: 'ws://127.0.0.1/ws', version: '0', startedAt: 0, isReady: true, load };
    await new RedisNodeRegistry(link, 'gone').report(report);
    link.close();
    await eventually('it is struck out', () => directory.heard.length > 0);
    expect(directory.heard).toEqual([{ action: 'remove', clientId: '*', userId: '*', serverId: 'gone' }]);
  });

  function watched() {
    const published: unknown[] = [];
    const client = { publish: async (_channel: string, text: string) => published.push(JSON.parse(text)) };
    const link = { client, attempt: (command: () => Promise<unknown>) => command() } as unknown as RedisLink;
    const registry = new NamedRegistry('a');
    registry.knows('a');
    const directory = new ConnectionDirectory({ link, registry, events: new ClusterEvents() });
    return { directory, registry, published };
  }

  it('is struck out with all its connections, once', () => {
    const { registry, published } = watched();
    registry.lose({ nodeId: 'b', incarnation: 'b-1' });
    registry.lose({ nodeId: 'b', incarnation: 'b-1' });
    expect(published).toEqual([{ action: 'remove', clientId: '*', userId: '*', serverId: 'b' }]);
  });

  it('is not where it is back under its name: its new connections stay', () => {
    const { registry, published } = watched();
    registry.knows('a', 'b');
    registry.lose({ nodeId: 'b', incarnation: 'an earlier life' });
    expect(published).toEqual([]);
  });
});

describe('entries that Redis is slow to take', () => {
  it('are five thousand at most: more are dropped and counted', async () => {
    let lost = 0;
    const events = new ClusterEvents();
    events.on('lost', (_what, count) => (lost += count));
    const link = { attempt: () => new Promise(() => {}) } as unknown as RedisLink;
    const directory = new ConnectionDirectory({ link, registry: new NamedRegistry('a'), events });
    for (let n = 0; n < 5_010; n += 1) void directory.tell('add', `session ${n}`, null);
    expect(lost).toBe(10);
  });
});

import { describe, expect, it } from 'vitest';
import { Bans } from '../../src/access/lists/bans.js';
import { LostConnections } from '../../src/access/limits/lost-connections.js';
import { Reconnects } from '../../src/access/limits/reconnects.js';
import { Drain } from '../../src/lifecycle/drain.js';
import { PlaceCheck } from '../../src/access/limits/place-check.js';
import type { Ban } from '../../src/cluster/ports/ban-store.js';
import { ClusterEvents } from '../../src/cluster/ports/cluster-events.js';
import { SharedCounts } from '../../src/cluster/ports/shared-counts.js';
import { TOO_MANY } from '../support/closes.js';
import { eventually } from '../support/eventually.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, open, type TestClient } from '../support/test-client.js';
import { RedisLinks } from '../unit/cluster/redis-links.js';
import { StoreNode } from '../unit/cluster/store-node.js';
import { TestNodes } from '../support/test-nodes.js';

/** True once its echo is answered; a refused client is "open" too, for the moment before its close frame. */
async function isLetIn(client: TestClient): Promise<boolean> {
  client.socket.once('open', () => client.send({ type: 'echo', data: 1 }));
  return client.next().then(
    () => true,
    () => false,
  );
}

function countsOf(nodes: TestNodes, index = 0): SharedCounts {
  return nodes.at(index).app.get(SharedCounts, { strict: false });
}

async function clear(clients: readonly TestClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
}

describe('so many that connect to all nodes at the same moment', () => {
  it.each([
    ['MAX_CONNECTIONS_PER_USER', 'user', 'alice'],
    ['MAX_CONNECTIONS_PER_IP', 'address', '127.0.0.1'],
  ] as const)('do not pass %s together', async (setting, kind, key) => {
    await using nodes = await TestNodes.start(['a', 'b', 'c'], { [setting]: '7', BAN_DURATION_MS: '0' });
    const clients = Array.from({ length: 30 }, (_, n) => open(nodes.at(n % 3).url));
    const fates = await Promise.all(clients.map(isLetIn));
    expect(fates.filter(Boolean)).toHaveLength(7);
    const refused = clients.filter((_, index) => !fates[index]);
    for (const client of refused) expect(await client.closed).toEqual(TOO_MANY);
    const shares = async () => [...(await countsOf(nodes).byNode(kind, key)).values()];
    expect((await shares()).reduce((sum, share) => sum + share, 0)).toBe(7);
    await clear(clients);
    await eventually('all places are given back', async () => (await shares()).length === 0);
  });
});

describe('a place that was taken on one node', () => {
  it('is missing on the others until its connection closes', async () => {
    await using nodes = await TestNodes.start(['a', 'b'], { MAX_CONNECTIONS_PER_USER: '1' });
    const first = await connect(nodes.at(0).url);
    await using refused = open(nodes.at(1).url);
    expect(await refused.closed).toEqual(TOO_MANY);
    await using other = await connect(nodes.at(1).url, { claims: { sub: 'bob' } });
    expect(await other.request('echo', 1)).toMatchObject({ data: 1 });
    await first[Symbol.asyncDispose]();
    await eventually('there is room again', async () => {
      await using next = open(nodes.at(1).url);
      // Awaited here: otherwise it would be cut off before it is known.
      return await isLetIn(next);
    });
  });

  it('is given back where the client is refused after all', async () => {
    await using nodes = await TestNodes.start(['a', 'b'], {
      MAX_CONNECTIONS_PER_USER: '5',
      MAX_CONNECTIONS_PER_IP: '1',
    });
    await using first = await connect(nodes.at(0).url);
    await using refused = open(nodes.at(1).url, { claims: { sub: 'bob' } });
    expect(await refused.closed).toEqual(TOO_MANY);
    await eventually('bob holds nothing', async () => (await countsOf(nodes).byNode('user', 'bob')).size === 0);
    // As on one node, the breach bans the address.
    await eventually('both nodes know of the ban', () =>
      [0, 1].every((index) => nodes.get(index, Bans).activeCount === 1),
    );
    expect(await first.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('is counted for its user also where there is no limit, and not for an anonymous one', async () => {
    await using nodes = await TestNodes.start(['a', 'b'], { AUTH_MODE: 'optional' });
    await using alice = await connect(nodes.at(0).url);
    await using nobody = await connect(nodes.at(1).url, { claims: false });
    const [session] = [...nodes.sessions(1)];
    expect(Object.fromEntries(await countsOf(nodes, 1).byNode('user', 'alice'))).toEqual({ a: 1 });
    expect((await countsOf(nodes, 1).byNode('user', session?.userId ?? '')).size).toBe(0);
    for (const client of [alice, nobody]) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });
});

describe('a node that has died and still has its lease', () => {
  it('keeps its places, so that clients are refused; but nobody is banned for them', async () => {
    await using nodes = await TestNodes.start(['a'], { MAX_CONNECTIONS_PER_IP: '2' });
    const links = new RedisLinks();
    const redisPrefix = 'gatehouse';
    await using dead = await StoreNode.start(await links.open(nodes.redis.url, { redisPrefix }), 'dead');
    await dead.counts.take('address', '127.0.0.1', 0);
    await dead.freeze();
    await using first = await connect(nodes.at(0).url);
    expect(await first.request('echo', 1)).toMatchObject({ data: 1 });
    await using refused = open(nodes.at(0).url);
    expect(await refused.closed).toEqual(TOO_MANY);
    await eventually('it is spared', () => nodes.get(0, PlaceCheck).sparedCount === 1);
    expect(await nodes.get(0, Bans).list()).toEqual([]);
    links.close();
  });
});

describe('an office that had half of its connections on a node that is gone', () => {
  const OFFICE = 75;

  it('comes back to the other node within a second: some are refused, and nobody is banned', async () => {
    const limits = {
      MAX_CONNECTIONS_PER_IP: '200',
      MAX_CONNECTIONS_PER_USER: '0',
      CONNECTION_RATE_PER_IP: String(OFFICE),
    };
    await using nodes = await TestNodes.start(['a'], limits);
    const links = new RedisLinks();
    const link = await links.open(nodes.redis.url, { redisPrefix: 'gatehouse' });
    await using dead = await StoreNode.start(link, 'dead');
    for (let n = 0; n < OFFICE; n += 1) await dead.counts.take('address', '127.0.0.1', 0);
    // It answers nobody. Its lease must not run out here, however slow the machine is.
    await eventually('its lease is known', () => nodes.registryOf(nodes.at(0)).nodes.length === 2);
    const rush = () => Array.from({ length: OFFICE }, () => open(nodes.at(0).url));
    const clients = [...rush(), ...rush()];
    const fates = await Promise.all(clients.map(isLetIn));
    const isIn = fates.filter(Boolean).length;
    expect(isIn).toBeGreaterThanOrEqual(OFFICE);
    // Unless the machine was so slow that the rate was kept.
    if (isIn < clients.length)
      await eventually(
        'it is spared',
        () => nodes.get(0, Reconnects).sparedCount + nodes.get(0, PlaceCheck).sparedCount > 0,
      );
    expect(await nodes.get(0, Bans).list()).toEqual([]);
    await clear(clients);
    links.close();
  });

  it('is known on all nodes where it was drained, also once that node is gone', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(nodes.at(0).url)));
    nodes.get(0, Drain).begin();
    for (const client of clients) expect((await client.closed).code).toBe(1012);
    for (const index of [0, 1]) {
      await eventually('the node knows of five', () => {
        return nodes.get(index, LostConnections).drainedOf('127.0.0.1', performance.now()) === 5;
      });
    }
    expect(nodes.get(0, LostConnections).hereOf('127.0.0.1', performance.now())).toBe(0);
  });
});

describe('while Redis is connected and silent', () => {
  it('clients are let in, a time-out later', async () => {
    await using nodes = await TestNodes.start(['a'], { MAX_CONNECTIONS_PER_USER: '1', REDIS_TIMEOUT_MS: '3000' });
    nodes.redis.signal('SIGSTOP');
    await using first = open(nodes.at(0).url);
    expect(await isLetIn(first)).toBe(true);
    await using refused = open(nodes.at(0).url);
    expect(await refused.closed).toEqual(TOO_MANY);
    nodes.redis.signal('SIGCONT');
    await eventually('the first is counted', async () => {
      const counts = await countsOf(nodes)
        .byNode('user', 'alice')
        .catch(() => new Map<string, number>());
      return counts.get('a') === 1;
    });
  });
});

describe('while Redis is away', () => {
  it('each node holds its own limits, and who was let in counts when Redis is back', async () => {
    await using nodes = await TestNodes.start(['a', 'b'], { MAX_CONNECTIONS_PER_USER: '2' });
    const lost: string[] = [];
    nodes.get(0, ClusterEvents).on('lost', (what) => lost.push(what));
    await nodes.redis.kill();
    const clients = Array.from({ length: 4 }, () => open(nodes.at(0).url));
    expect((await Promise.all(clients.map(isLetIn))).filter(Boolean)).toHaveLength(2);
    expect(lost).toContain('place');
    // Nest has one logger a process.
    const lines = [0, 1].flatMap((index) => nodes.at(index).logLines);
    expect(lines.filter(({ context }) => context === 'SharedPlaces')).toHaveLength(1);

    await nodes.redis.restart();
    await eventually('they are counted', async () => {
      const counts = await countsOf(nodes, 1)
        .byNode('user', 'alice')
        .catch(() => new Map<string, number>());
      return counts.get('a') === 2;
    });
    await using refused = open(nodes.at(1).url);
    expect(await refused.closed).toEqual(TOO_MANY);
    await clear(clients);
  });
});

describe('an address that breaks a limit on one node after the other', () => {
  it('is banned on all of them, twice as long each time: the nodes count its offences together', async () => {
    await using nodes = await TestNodes.start(['a', 'b'], { MAX_CONNECTIONS_PER_IP: '1', BAN_DURATION_MS: '60000' });
    using clock = new StoppedClock();
    await using first = await connect(nodes.at(0).url);
    for (const [offences, index] of [1, 0, 1].entries()) {
      await using refused = open(nodes.at(index).url);
      expect(await refused.closed).toEqual(TOO_MANY);
      let ban: Ban | undefined;
      await eventually('it is banned', async () => ([ban] = await nodes.get(index, Bans).list()).length === 1);
      expect(ban).toMatchObject({ key: '127.0.0.1', by: 'breach', offences: offences + 1 });
      await eventually('the other node knows', () => nodes.get(1 - index, Bans).isBanned('address', '127.0.0.1'));
      clock.pass(60_000 * 2 ** offences);
      expect([0, 1].map((node) => nodes.get(node, Bans).isBanned('address', '127.0.0.1'))).toEqual([false, false]);
    }
    expect(await first.request('echo', 1)).toMatchObject({ data: 1 });
  });
});

describe('an address that no limit holds for', () => {
  it('takes no place of its own over all nodes, and its users do', async () => {
    const limits = { MAX_CONNECTIONS_PER_IP: '1', MAX_CONNECTIONS_PER_USER: '2', LIMITS_EXEMPT_ADDRESSES: 'loopback' };
    await using nodes = await TestNodes.start(['a', 'b'], limits);
    await using first = await connect(nodes.at(0).url);
    await using second = await connect(nodes.at(1).url);
    for (const client of [first, second]) expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    expect((await countsOf(nodes).byNode('address', '127.0.0.1')).size).toBe(0);
    await using third = open(nodes.at(0).url);
    expect(await third.closed).toEqual(TOO_MANY);
  });
});

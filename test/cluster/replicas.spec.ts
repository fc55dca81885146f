import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { Channels } from '../../src/channels/channels.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { RedisServer } from '../support/redis-server.js';
import { Scrape } from '../support/scrape.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { operate } from './losses.js';

const HISTORY = 'subscribe: anyone, publish: anyone, history: { size: 100, age: 1h }';
const NAMESPACES = { safe: `${HISTORY}, replicas: 1`, safer: `${HISTORY}, replicas: 2`, plain: HISTORY };
const UNREPLICATED = 'gatehouse_publications_unreplicated_total';

function publish(client: TestClient, channel: string, idempotencyKey: string): Promise<Message> {
  return client.request('publish', { channel, data: idempotencyKey, idempotencyKey });
}

/** Publishes until the answer is this code: a starved Redis may be SERVER_BUSY before. */
async function publishUntil(client: TestClient, code: string): Promise<Message> {
  let answer: Message | undefined;
  await eventually(`a publish is answered with ${code}`, async () => {
    answer = await publish(client, 'safe:a', 'once');
    return answer.code === code;
  });
  return answer ?? { type: 'none' };
}

/** One that has caught up with its master. */
async function replicaOf(master: RedisServer): Promise<RedisServer> {
  const replica = await RedisServer.start();
  await operate(replica, 'REPLICAOF', '127.0.0.1', String(master.port));
  const client = new Redis(master.port, '127.0.0.1');
  await eventually('the replica follows', async () => (await client.info('replication')).includes('state=online'));
  client.disconnect();
  return replica;
}

async function waitsAt({ port }: RedisServer): Promise<number> {
  const client = new Redis(port, '127.0.0.1');
  const [, calls] = /cmdstat_wait:calls=(\d+)/.exec(await client.info('commandstats')) ?? [];
  client.disconnect();
  return Number(calls ?? 0);
}

/** How many publications of a channel a server has. */
async function lengthAt({ port }: RedisServer, channel: string): Promise<number> {
  const client = new Redis(port, '127.0.0.1');
  const length = await client.xlen(`gatehouse:{${channel}}:log`);
  client.disconnect();
  return length;
}

/** Has what waits for replicas there answered as if its time were over. */
async function endWaits({ port }: RedisServer): Promise<void> {
  const client = new Redis(port, '127.0.0.1');
  const clients = String(await client.client('LIST')).split('\n');
  const ids = clients.flatMap((line) => /^id=(\d+) .* cmd=wait /.exec(line)?.[1] ?? []);
  for (const id of ids) await client.call('CLIENT', 'UNBLOCK', id);
  client.disconnect();
}

/** The answer to what waits for replicas that never come. */
async function answerWithout<T>(master: RedisServer, answer: Promise<T>): Promise<T> {
  let isAnswered = false;
  const settled = answer.finally(() => (isAnswered = true));
  await eventually('it is answered', async () => {
    await endWaits(master);
    return isAnswered;
  });
  return settled;
}

function publishFromServer({ app }: TestServer, channel: string) {
  const channels = app.get(Channels, { strict: false });
  return channels.publish(channels.named(channel), { data: 'x' });
}

describe('a namespace with `replicas: 1`', () => {
  it('answers a publish when a replica has it, and not before; others do not wait for it', async () => {
    await using master = await RedisServer.start();
    await using replica = await replicaOf(master);
    using namespaces = namespacesFile(NAMESPACES);
    await using server = await startTestServer({ ...namespaces.environment, REDIS_URL: master.url });
    await using alice = await connect(server.url);
    await using bob = await connect(server.url);
    await bob.request('subscribe', { channel: 'safe:a' });

    replica.signal('SIGSTOP');
    let isAnswered = false;
    const answer = publish(alice, 'safe:a', 'k').finally(() => (isAnswered = true));
    expect(await bob.next()).toMatchObject({ type: 'message', data: 'k' });
    for (let number = 0; number < 3; number += 1) {
      expect(await publish(bob, 'plain:a', String(number))).toMatchObject({ type: 'publish_reply' });
    }
    expect(isAnswered).toBe(false);
    replica.signal('SIGCONT');
    expect(await answer).toMatchObject({ type: 'publish_reply', data: { seq: 1 } });
    expect(await lengthAt(replica, 'safe:a')).toBe(1);
  });

  it('answers NOT_REPLICATED where none has it in time, and a retry with the idempotency key as the first', async () => {
    await using master = await RedisServer.start();
    await using replica = await replicaOf(master);
    using namespaces = namespacesFile(NAMESPACES);
    const redis = { REDIS_URL: master.url, REDIS_TIMEOUT_MS: '1000' };
    await using server = await startTestServer({ ...namespaces.environment, ...redis });
    await using alice = await connect(server.url);
    const before = await Scrape.of(server);

    replica.signal('SIGSTOP');
    expect(await publishUntil(alice, 'NOT_REPLICATED')).toMatchObject({
      type: 'error',
      message: 'Published, but not replicated in time',
      retryAfter: 1_000,
    });
    expect((await Scrape.of(server)).since(before, UNREPLICATED)).toBeGreaterThan(0);
    replica.signal('SIGCONT');
    let answer: Message | undefined;
    await eventually('a retry is answered', async () => {
      answer = await publish(alice, 'safe:a', 'once');
      return answer.type === 'publish_reply';
    });
    expect(answer).toMatchObject({ data: { seq: 1 } });
    expect(await lengthAt(replica, 'safe:a')).toBe(1);
  });

  it('waits once for all that is published in a turn, and for each number of replicas', async () => {
    await using master = await RedisServer.start();
    await using replica = await replicaOf(master);
    using namespaces = namespacesFile(NAMESPACES);
    await using server = await startTestServer({ ...namespaces.environment, REDIS_URL: master.url });
    await publishFromServer(server, 'safe:first');

    const before = await waitsAt(master);
    const names = Array.from({ length: 20 }, (_, index) => `safe:${index}`);
    const safe = names.map((name) => publishFromServer(server, name));
    const safer = publishFromServer(server, 'safer:a').catch(({ code }) => code);
    await Promise.all(safe);
    expect(await answerWithout(master, safer)).toBe('NOT_REPLICATED');
    expect((await waitsAt(master)) - before).toBe(2);
    expect(await lengthAt(replica, 'safe:0')).toBe(1);
  });

  it('holds on a Redis Cluster, for each master by its own replica', async () => {
    await using cluster = await RedisCluster.start({ replicas: 1 });
    using namespaces = namespacesFile(NAMESPACES);
    const redis = { REDIS_URL: cluster.urls, REDIS_MODE: 'cluster' };
    await using server = await startTestServer({ ...namespaces.environment, ...redis });
    const names = Array.from({ length: 20 }, (_, index) => `safe:${index}`);
    const publishAll = (): Promise<string>[] =>
      names.map((name) =>
        publishFromServer(server, name).then(
          () => 'published',
          ({ code }) => code as string,
        ),
      );
    const all = names.map(() => 'published');
    expect(await Promise.all(publishAll())).toEqual(all);

    const key = 'gatehouse:{safe:0}:log';
    await eventually('the master has a replica', async () => (await cluster.holdersOf(key)).length === 2);
    const [master, replica] = await cluster.holdersOf(key);
    replica?.signal('SIGSTOP');
    const owners = await Promise.all(names.map((name) => cluster.ownerOf(`gatehouse:{${name}}:log`)));
    const expected = owners.map((owner) => (owner === master ? 'NOT_REPLICATED' : 'published'));
    const answers = publishAll();
    await Promise.all(answers.filter((_, index) => expected[index] === 'published'));
    expect(await answerWithout(master, Promise.all(answers))).toEqual(expected);
    replica?.signal('SIGCONT');
    expect(await Promise.all(publishAll())).toEqual(all);
  });

  it('is as any other without Redis', async () => {
    using namespaces = namespacesFile(NAMESPACES);
    await using server = await startTestServer(namespaces.environment);
    await using alice = await connect(server.url);
    expect(await publish(alice, 'safe:a', 'k')).toMatchObject({ type: 'publish_reply', data: { seq: 1 } });
  });
});

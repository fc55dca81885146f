// @module-tag kcat
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bridgesFile, type BridgesFile } from '../support/bridges-file.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { KafkaCluster } from '../support/kafka-cluster.js';
import { KafkaProxy } from '../support/kafka-proxy.js';
import { namespacesFile, type NamespacesFile } from '../support/namespaces-file.js';
import { Scrape } from '../support/scrape.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

let cluster: KafkaCluster;
let namespaces: NamespacesFile;
let bridges: BridgesFile;
let server: TestServer;

beforeAll(async () => {
  cluster = await KafkaCluster.start();
  for (const topic of ['orders', 'plain', 'orders-dead', 'rooms', 'cut', 'cut-out']) await cluster.addTopic(topic);
  namespaces = namespacesFile({
    order: 'subscribe: anyone, publish: nobody, history: { size: 5000, age: 10m }',
    room: 'subscribe: anyone, publish: anyone, history: { size: 5000, age: 10m }, egress: { kafka: rooms }',
  });
  bridges = bridgesFile({
    kafka: { brokers: cluster.brokers },
    in: [
      { kafka: 'orders', channel: 'order:{key}', dead_letter: 'orders-dead' },
      { kafka: 'plain', channel: 'order:{topic}-{header:colour}' },
      { kafka: 'rooms', channel: 'room:{header:name}' },
    ],
  });
  server = await startTestServer({ ...namespaces.environment, ...bridges.environment });
  await eventually('it has joined', async () => (await connected(server)) === 1);
});

afterAll(async () => {
  await server.close();
  namespaces[Symbol.dispose]();
  bridges[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

async function connected(at: TestServer): Promise<number> {
  return (await Scrape.of(at)).value('gatehouse_bridge_connected{broker="kafka"}');
}

async function follower(channel: string, at = server): Promise<TestClient> {
  const client = await connect(at.url);
  await client.request('subscribe', { channel });
  return client;
}

async function counted(bridge: string, outcome: string): Promise<number> {
  return (await Scrape.of(server)).value(`gatehouse_bridge_messages_total{bridge="${bridge}",outcome="${outcome}"}`);
}

/** The offsets that the group has committed, without partitions that have none. */
async function committed(topic: string): Promise<number> {
  const admin = cluster.client.admin();
  await admin.connect();
  try {
    const [found] = await admin.fetchOffsets({ groupId: 'gatehouse', topics: [topic] });
    return (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  } finally {
    await admin.disconnect();
  }
}

/** Everything in a topic, whichever group reads it. */
async function everythingIn(topic: string, count: number) {
  const consumer = cluster.client.consumer({ groupId: `test-${topic}`, maxWaitTimeInMs: 100 });
  const messages: { key: string | undefined; value: string | undefined; headers: Record<string, string> }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message: { key, value, headers = {} } }) => {
      const texts = Object.entries(headers).map(([name, text]) => [name, String(text)] as const);
      messages.push({ key: key?.toString(), value: value?.toString(), headers: Object.fromEntries(texts) });
    },
  });
  await eventually(`${count} messages are in ${topic}`, () => messages.length >= count);
  await consumer.disconnect();
  return messages;
}

describe('a message of a topic', () => {
  it('is published in the channel that its key names, in order, and its offset committed', async () => {
    await using client = await follower('order:17');
    await cluster.send(
      'orders',
      Array.from({ length: 1_200 }, (_, n) => ({ key: '17', value: JSON.stringify({ n }) })),
    );
    for (let n = 0; n < 1_200; n += 1) expect(await client.next()).toMatchObject({ type: 'message', data: { n } });
    await eventually('all offsets are committed', async () => (await committed('orders')) === 1_200);
    expect(await counted('orders', 'published')).toBe(1_200);
    expect((await Scrape.of(server)).value('gatehouse_bridge_lag_messages{bridge="orders"}')).toBe(0);
  });

  it('is published in the channel that its topic and a header name', async () => {
    await using client = await follower('order:plain-red');
    await cluster.send('plain', [
      { value: 'text', headers: { colour: 'red' } },
      { value: null, headers: { colour: 'red' } },
    ]);
    const data = [(await client.next()).data, (await client.next()).data];
    expect(data).toEqual(expect.arrayContaining(['text', null]));
  });

  it('that can never be published goes to the dead-letter topic with the reason, and holds up nobody', async () => {
    await using client = await follower('order:good');
    const before = await counted('orders', 'dead_lettered');
    await cluster.send('orders', [
      { value: 'no key' },
      { key: 'good', value: '[1e400]' },
      { key: 'good', value: '"after"', headers: { kept: 'yes' } },
      { key: 'x'.repeat(300), value: '1', headers: { kept: 'yes' } },
    ]);
    expect(await client.next()).toMatchObject({ data: 'after' });
    await eventually('all are put aside', async () => (await counted('orders', 'dead_lettered')) === before + 3);
    const letters = await everythingIn('orders-dead', 3);
    expect(letters).toHaveLength(3);
    const reasons = new Map(letters.map(({ value, headers }) => [value, headers['gatehouse-reason']]));
    expect(reasons.get('no key')).toContain('it has no key');
    expect(reasons.get('[1e400]')).toContain('1e400');
    expect(reasons.get('1')).toContain('UNKNOWN_CHANNEL');
    expect(letters.find(({ value }) => value === '1')?.headers).toMatchObject({
      kept: 'yes',
      'gatehouse-place': expect.stringMatching(/^orders:\d:\d+$/),
    });
    expect(server.logLines).toContainEqual(
      expect.objectContaining({ area: 'bridges', level: 'warn', reason: expect.stringContaining('it has no key') }),
    );
  });

  it('without a dead-letter topic is skipped and counted', async () => {
    const before = await counted('plain', 'skipped');
    await cluster.send('plain', [{ value: 'no header' }]);
    await eventually('it is skipped', async () => (await counted('plain', 'skipped')) === before + 1);
  });
});

describe('a publication in a namespace with egress', () => {
  const left = async (outcome: string): Promise<number> =>
    (await Scrape.of(server)).value(`gatehouse_bridge_publications_total{destination="rooms",outcome="${outcome}"}`);

  it('is stored in its topic with its channel as key, and does not come in again', async () => {
    await using client = await follower('room:7');
    for (const data of [{ n: 0 }, { n: 1 }]) await client.request('publish', { channel: 'room:7', data });
    const messages = await everythingIn('rooms', 2);
    expect(messages.map(({ value }) => value)).toEqual(['{"n":0}', '{"n":1}']);
    expect(messages[1]?.headers).toEqual({
      'gatehouse-id': expect.stringMatching(/^room:7:[^:]+:2$/),
      'gatehouse-channel': 'room:7',
      'gatehouse-from': 'alice',
      'gatehouse-via': 'gatehouse',
    });
    expect(messages.map(({ key }) => key)).toEqual(['room:7', 'room:7']);
    await eventually('it is left out', async () => (await counted('rooms', 'own')) === 2);
    expect(await left('sent')).toBe(2);
  });

  it('does not go out again where it came from', async () => {
    await using client = await follower('room:8');
    await cluster.send('rooms', [{ value: '"in"', headers: { name: '8' } }]);
    expect(await client.next()).toMatchObject({ data: 'in' });
    await eventually('it is held back', async () => (await left('circular')) === 1);
  });
});

describe('the bridge to Kafka', () => {
  it('starts without its broker, and says that it tries again', async () => {
    using file = bridgesFile({
      kafka: { brokers: [`127.0.0.1:${await freePort()}`] },
      in: [{ kafka: 'orders', channel: 'order:{key}' }],
    });
    await using node = await startTestServer({ ...namespaces.environment, ...file.environment });
    const isTold = () =>
      node.logLines.some(({ bridge, reason }) => bridge === 'kafka' && /ECONNREFUSED|refused/i.test(String(reason)));
    await eventually('the log says so', isTold);
    expect(await connected(node)).toBe(0);
    expect((await Scrape.of(node)).value('gatehouse_bridge_failures_total{bridge="kafka"}')).toBeGreaterThan(0);
  });

  it('loses nothing and repeats nothing when its brokers were away, and keeps the order of each key', async () => {
    await using network = await KafkaProxy.start(cluster);
    using file = bridgesFile({
      kafka: { brokers: network.brokers, group: 'cut' },
      in: [{ kafka: 'cut', channel: 'order:cut-{key}' }],
    });
    using spaces = namespacesFile({
      order: 'subscribe: anyone, publish: nobody, history: { size: 5000, age: 10m }',
      out: 'subscribe: anyone, publish: anyone, history: { size: 5000, age: 10m }, egress: { kafka: cut-out }',
    });
    await using node = await startTestServer({ ...spaces.environment, ...file.environment });
    await eventually('it has joined', async () => (await connected(node)) === 1);
    const keys = ['a', 'b', 'c', 'd'];
    const followers = await Promise.all(keys.map((key) => follower(`order:cut-${key}`, node)));
    const produce = (from: number): Promise<void> =>
      cluster.send(
        'cut',
        keys.flatMap((key) => Array.from({ length: 25 }, (_, n) => ({ key, value: String(from + n) }))),
      );
    await produce(0);
    await eventually('all have begun', () => followers.every(({ unread }) => unread.length > 0));
    network.cut();
    await produce(25);
    await using publisher = await connect(node.url);
    for (let n = 0; n < 20; n += 1) await publisher.request('publish', { channel: 'out:1', data: n });
    await eventually('it knows', async () => (await connected(node)) === 0);
    network.restore();
    await produce(50);
    const numbers = Array.from({ length: 75 }, (_, n) => n);
    for (const client of followers) {
      for (const n of numbers) expect(await client.next()).toMatchObject({ data: n });
      expect(client.unread).toEqual([]);
      await client[Symbol.asyncDispose]();
    }
    const sent = await everythingIn('cut-out', 20);
    // At least once: a reader drops repetitions by the id.
    const ids = sent.map(({ headers }) => headers['gatehouse-id']);
    const values = sent.filter((_, index) => ids.indexOf(ids[index]) === index).map(({ value }) => Number(value));
    expect(values).toEqual(numbers.slice(0, 20));
  });

  it('goes on when its brokers were silent', async () => {
    await using client = await follower('order:silent');
    cluster.signal('SIGSTOP');
    const sending = cluster.send('orders', [{ key: 'silent', value: '1' }]);
    cluster.signal('SIGCONT');
    await sending;
    expect(await client.next()).toMatchObject({ data: 1 });
  });
});

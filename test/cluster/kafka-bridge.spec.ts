// @module-tag redis
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { api } from '../support/api-client.js';
import { bridgesFile } from '../support/bridges-file.js';
import { published } from '../support/edge.js';
import { eventually } from '../support/eventually.js';
import { KafkaCluster } from '../support/kafka-cluster.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { DURABLE, RedisServer } from '../support/redis-server.js';
import { Scrape } from '../support/scrape.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const KEYS = Array.from({ length: 12 }, (_, index) => `k${index}`);
const ROUND = 10;

/** One metric of a node, from its registry: all of them over HTTP would cost more than what is tested. */
async function valueOf(series: string, { app }: TestServer): Promise<number> {
  const registry = app.get(Registry, { strict: false });
  const text = await registry.getSingleMetricAsString(series.replace(/\{.*/, ''));
  return new Scrape(text).value(series);
}

const publishedMessages = 'gatehouse_bridge_messages_total{bridge="orders",outcome="published"}';

const connected = 'gatehouse_bridge_connected{broker="kafka"}';

/** What was published in a channel, in order. */
async function history(key: string, at: TestServer): Promise<unknown[]> {
  const { body } = await api(at, `GET /api/channels/order:${key}/history?limit=1000`);
  return (body as { publications: { data: unknown }[] }).publications.map(({ data }) => data);
}

it(
  'publishes each message of a topic once and in order, while nodes come and go and Redis is away',
  { tags: ['kcat'] },
  async () => {
    await using redis = await RedisServer.start(DURABLE);
    await using cluster = await KafkaCluster.start();
    await cluster.addTopic('orders');
    using namespaces = namespacesFile({
      order: 'subscribe: anyone, publish: nobody, history: { size: 5000, age: 10m }',
    });
    using file = bridgesFile({
      kafka: { brokers: cluster.brokers },
      in: [{ kafka: 'orders', channel: 'order:{key}' }],
    });
    const environment = { REDIS_URL: redis.url, ...namespaces.environment, ...file.environment };
    let sent = 0;
    const send = async (): Promise<void> => {
      const numbers = Array.from({ length: ROUND }, (_, n) => sent + n);
      sent += ROUND;
      await cluster.send(
        'orders',
        numbers.flatMap((n) => KEYS.map((key) => ({ key, value: String(n) }))),
      );
    };
    const one = await startTestServer({ ...environment, SERVER_ID: 'one' });
    await send();
    await eventually('the first node publishes', async () => (await valueOf(publishedMessages, one)) > 0);
    await using two = await startTestServer({ ...environment, SERVER_ID: 'two' });
    await eventually('the second node joins', async () => (await valueOf(connected, two)) === 1);
    await send();
    await eventually('it takes partitions over', async () => (await valueOf(publishedMessages, two)) > 0);

    await redis.kill();
    await send();
    const failures = 'gatehouse_bridge_failures_total{bridge="orders"}';
    await eventually(
      'a publish fails',
      async () => (await valueOf(failures, one)) + (await valueOf(failures, two)) > 0,
    );
    await redis.restart();

    await send();
    await one.close();
    await send();
    const expected = Array.from({ length: sent }, (_, n) => n);
    for (const key of KEYS) {
      await eventually(`all of ${key} are published`, async () => {
        return (await published(two, `order:${key}`).catch(() => [])).length >= sent;
      });
    }
    for (const key of KEYS) expect(await history(key, two)).toEqual(expected);
  },
);

it('says that its brokers are gone', { tags: ['kcat'] }, async () => {
  await using cluster = await KafkaCluster.start();
  await cluster.addTopic('orders');
  using namespaces = namespacesFile({ order: 'subscribe: anyone' });
  using file = bridgesFile({ kafka: { brokers: cluster.brokers }, in: [{ kafka: 'orders', channel: 'order:{key}' }] });
  await using node = await startTestServer({ ...namespaces.environment, ...file.environment });
  await eventually('it has joined', async () => (await valueOf(connected, node)) === 1);
  await cluster[Symbol.asyncDispose]();
  await eventually('it knows', async () => (await valueOf(connected, node)) === 0);
  expect(await valueOf('gatehouse_bridge_failures_total{bridge="kafka"}', node)).toBeGreaterThan(0);
});

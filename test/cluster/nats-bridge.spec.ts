// @module-tag redis
import { expect, it } from 'vitest';
import { bridgesFile } from '../support/bridges-file.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { NatsServer } from '../support/nats-server.js';
import { DURABLE, RedisServer } from '../support/redis-server.js';
import { Scrape } from '../support/scrape.js';
import { connect } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

it(
  'holds the messages of a stream back while Redis is away, and publishes them once and in order over two nodes',
  { tags: ['nats'] },
  async () => {
    await using redis = await RedisServer.start(DURABLE);
    await using broker = await NatsServer.start();
    await broker.addStream('ORDERS', 'orders.>');
    using namespaces = namespacesFile({
      order: 'subscribe: anyone, publish: nobody, history: { size: 5000, age: 10m }',
    });
    using file = bridgesFile({
      nats: { servers: [broker.url] },
      in: [{ nats: 'orders.*', stream: 'ORDERS', durable: 'gatehouse', channel: 'order:{1}' }],
    });
    const environment = { REDIS_URL: redis.url, ...namespaces.environment, ...file.environment };
    await using one = await startTestServer({ ...environment, SERVER_ID: 'one' });
    await using two = await startTestServer({ ...environment, SERVER_ID: 'two' });
    const store = (from: number) =>
      broker.store(Array.from({ length: 20 }, (_, n) => ['orders.1', String(from + n)] as const));
    await using client = await connect(one.url);
    await client.request('subscribe', { channel: 'order:1' });
    await store(0);
    for (let n = 0; n < 20; n += 1) expect(await client.next()).toMatchObject({ data: n });
    const publishedBy = async (node: typeof one) =>
      (await Scrape.of(node)).value('gatehouse_bridge_messages_total{bridge="orders.*",outcome="published"}');
    expect((await publishedBy(one)) + (await publishedBy(two))).toBe(20);

    await redis.kill();
    await store(20);
    await eventually('a publish fails', async () => {
      const scrapes = await Promise.all([Scrape.of(one), Scrape.of(two)]);
      return scrapes.some((scrape) => scrape.value('gatehouse_bridge_failures_total{bridge="orders.*"}') > 0);
    });
    await redis.restart();
    for (let n = 20; n < 40; n += 1) expect(await client.next()).toMatchObject({ type: 'message', data: n });
  },
);

// How many messages a second one node publishes of a backlog in Kafka and in NATS, and how long one message takes.
//
//   npx tsx bench/bridges.ts [messages]
//
// Needs kcat and nats-server on this machine; it builds the server. The server keeps everything in memory, and one
// subscriber reads along. Prints a table in Markdown, row by row. It takes about four minutes with 50,000 messages.
//
// The Kafka is the mock cluster of librdkafka: a request that finds nothing may be answered only when its 500 ms are over,
// also if a message comes in the meantime. A Kafka answers at once, so take its times for one message as upper bounds.
import { jetstream } from '@nats-io/jetstream';
import { Partitioners } from 'kafkajs';
import { bridgesFile } from '../test/support/bridges-file.js';
import { buildServer, ServerProcess } from '../test/support/built-server.js';
import { KafkaCluster } from '../test/support/kafka-cluster.js';
import { NatsServer } from '../test/support/nats-server.js';
import { namespacesFile } from '../test/support/namespaces-file.js';
import { Scrape } from '../test/support/scrape.js';
import { connect } from '../test/support/test-client.js';
import { TEST_ENVIRONMENT } from '../test/support/test-server.js';

const messages = Number(process.argv[2] ?? 50_000);
const CHANNELS = 100;
const SINGLES = 200;
const CHUNK = 500;
const value = JSON.stringify({ state: 'paid', text: 'x'.repeat(200) });

await using kafka = await KafkaCluster.start();
for (const topic of ['orders', 'single']) await kafka.addTopic(topic);
await using nats = await NatsServer.start();
for (const name of ['STRICT', 'LOOSE', 'SINGLE']) await nats.addStream(name, `${name.toLowerCase()}.*`);
using channels = namespacesFile({ feed: 'subscribe: anyone, publish: nobody, history: { size: 100, age: 10m }' });
const durable = { durable: 'gatehouse', channel: 'feed:{1}' };
using bridges = bridgesFile({
  kafka: { brokers: kafka.brokers },
  nats: { servers: [nats.url] },
  in: [
    ...['orders', 'single'].map((topic) => ({ kafka: topic, channel: 'feed:{key}' })),
    { nats: 'strict.*', stream: 'STRICT', ...durable },
    { nats: 'loose.*', stream: 'LOOSE', ...durable, in_flight: 500 },
    { nats: 'single.*', stream: 'SINGLE', ...durable },
  ],
});
const producer = kafka.client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
await producer.connect();
await using connection = await nats.connect();
const client = jetstream(connection);
for (let sent = 0; sent < messages; sent += CHUNK) {
  const numbers = Array.from({ length: CHUNK }, (_, n) => String((sent + n) % CHANNELS));
  await producer.send({ topic: 'orders', messages: numbers.map((key) => ({ key, value })) });
  for (const stream of ['strict', 'loose']) {
    await Promise.all(numbers.map((key) => client.publish(`${stream}.${key}`, value)));
  }
}

const print = (...cells: readonly string[]): void => void process.stdout.write(`| ${cells.join(' | ')} |\n`);
await using build = await buildServer();
print('source', 'what', 'value');
print('---', '---', '---:');
const TITLES = {
  orders: 'Kafka',
  'loose.*': 'JetStream, `in_flight: 500`',
  'strict.*': 'JetStream, `in_flight: 1`',
};
const environment = { ...TEST_ENVIRONMENT, ...channels.environment, ...bridges.environment };
for (const [bridge, other] of [
  ['orders', 'kafka'],
  ['loose.*', 'nats'],
  ['strict.*', 'nats'],
] as const) {
  // One source at a time, on a node of its own.
  using alone = bridgesFile({
    ...(other === 'kafka' ? { kafka: { brokers: kafka.brokers } } : { nats: { servers: [nats.url] } }),
    in: [
      other === 'kafka'
        ? { kafka: bridge, channel: 'feed:{key}' }
        : {
            nats: bridge,
            stream: bridge.slice(0, -2).toUpperCase(),
            ...durable,
            ...(bridge === 'loose.*' && { in_flight: 500 }),
          },
    ],
  });
  await using server = await ServerProcess.start(build, { ...environment, ...alone.environment });
  const http = `http://127.0.0.1:${await server.port()}`;
  const published = async (): Promise<number> =>
    (await Scrape.of({ http })).value(`gatehouse_bridge_messages_total{bridge="${bridge}",outcome="published"}`);
  while ((await published()) === 0) await pause(5);
  const startedAt = performance.now();
  const before = await published();
  while ((await published()) < messages) await pause(20);
  const seconds = (performance.now() - startedAt) / 1_000;
  print(TITLES[bridge], `messages a second, of ${messages}`, String(Math.round((messages - before) / seconds)));
}

await using server = await ServerProcess.start(build, environment);
const http = `http://127.0.0.1:${await server.port()}`;
while ((await Scrape.of({ http })).value('gatehouse_bridge_connected{broker="kafka"}') === 0) await pause(20);
await using reader = await connect(`ws://127.0.0.1:${await server.port()}/ws`);
await reader.request('subscribe', { channel: 'feed:single' });
const senders = {
  Kafka: () => producer.send({ topic: 'single', messages: [{ key: 'single', value }] }),
  JetStream: () => client.publish('single.single', value),
};
for (const [name, send] of Object.entries(senders)) {
  const delays: number[] = [];
  for (let n = 0; n < SINGLES; n += 1) {
    const at = performance.now();
    await Promise.all([send(), reader.next()]);
    delays.push(performance.now() - at);
  }
  delays.sort((one, another) => one - another);
  const [p50, p99] = [0.5, 0.99].map((share) => delays[Math.floor(share * SINGLES)]?.toFixed(1));
  print(name, 'from the send to the subscriber, one message after the other', `p50 ${p50} ms, p99 ${p99} ms`);
}
await producer.disconnect();

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

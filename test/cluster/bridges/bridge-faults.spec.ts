// @module-tag redis
import { setTimeout as pause } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { Partitioners } from 'kafkajs';
import { expect, it } from 'vitest';
import { bridgesFile } from '../../support/bridges-file.js';
import { buildServer } from '../../support/built-server.js';
import { eventually } from '../../support/eventually.js';
import { KafkaCluster } from '../../support/kafka-cluster.js';
import { namespacesFile } from '../../support/namespaces-file.js';
import { NatsServer } from '../../support/nats-server.js';
import { DURABLE, RedisServer } from '../../support/redis-server.js';
import { wholeHistory } from '../../support/whole-history.js';
import { Nodes } from '../scenarios/nodes.js';
import { randomNumbers } from '../scenarios/walk.js';

/** How long there are faults. Only `npm run test:soak` has any: a killed member of a group holds its partitions for 10 s. */
const SECONDS = Number(process.env.BRIDGE_SECONDS ?? 0);
const SEED = Number(process.env.BRIDGE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const NAMESPACE = 'subscribe: anyone, publish: nobody, history: { size: 1000000, age: 1h }';

/** Sends numbers to every key, one round after the other, until it is stopped. Returns how many rounds there were. */
async function sendRounds(send: (round: number) => Promise<unknown>, isOver: () => boolean): Promise<number> {
  let round = 0;
  // The broker may have taken a round whose answer did not come, so the last one is sent until it is answered, too.
  for (let isSent = true; !isOver() || !isSent;) {
    // While the broker is away. It knows messages that it has by their id.
    isSent = await send(round).then(
      () => true,
      () => false,
    );
    if (isSent) round += 1;
    await pause(isSent ? 5 : 100);
  }
  return round;
}

/** Kills nodes and NATS, each at least once, and goes on at random until the time is over. */
async function killAtRandom(nodes: Nodes, nats: NatsServer, random: () => number): Promise<string> {
  const killed = { nodes: 0, nats: 0 };
  const over = performance.now() + SECONDS * 1_000;
  while (performance.now() < over || killed.nodes === 0 || killed.nats === 0) {
    await pause(random() * 2_000);
    if (random() < 0.5) {
      killed.nats += 1;
      await nats.kill();
      await pause(random() * 500);
      await nats.restart();
    } else {
      killed.nodes += 1;
      const victim = Math.floor(random() * nodes.count);
      await nodes.end(victim, 'SIGKILL');
      await nodes.startNode(victim);
    }
  }
  return `killed: nodes ${killed.nodes} times, NATS ${killed.nats} times`;
}

it.skipIf(SECONDS === 0)(
  `publishes every message of Kafka and NATS once and in order, although nodes and NATS are killed (seed ${SEED})`,
  { tags: ['nats', 'kcat'] },
  async () => {
    const random = randomNumbers(SEED);
    await using redis = await RedisServer.start(DURABLE);
    await using kafka = await KafkaCluster.start();
    await kafka.addTopic('numbers');
    await using nats = await NatsServer.start();
    await nats.addStream('NUMBERS', 'numbers.*');
    await using build = await buildServer();
    using namespaces = namespacesFile({ kafka: NAMESPACE, nats: NAMESPACE });
    using bridges = bridgesFile({
      kafka: { brokers: kafka.brokers },
      nats: { servers: [nats.url] },
      in: [
        { kafka: 'numbers', channel: 'kafka:{key}' },
        { nats: 'numbers.*', stream: 'NUMBERS', durable: 'gatehouse', channel: 'nats:{1}' },
      ],
    });
    // A busy machine must not make Redis look silent.
    const environment = {
      ...namespaces.environment,
      ...bridges.environment,
      REDIS_URL: redis.url,
      REDIS_TIMEOUT_MS: '60000',
    };
    await using nodes = await Nodes.start(build, [environment, environment]);
    const producer = kafka.client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await using connection = await nats.connect();
    const client = jetstream(connection, { timeout: 1_000 });

    let isOver = false;
    const sending = Promise.all([
      sendRounds(
        (round) => producer.send({ topic: 'numbers', messages: KEYS.map((key) => ({ key, value: String(round) })) }),
        () => isOver,
      ),
      sendRounds(
        async (round) => {
          for (const key of KEYS) await client.publish(`numbers.${key}`, String(round), { msgID: `${key}:${round}` });
        },
        () => isOver,
      ),
    ]);
    const killed = await killAtRandom(nodes, nats, random);
    isOver = true;
    const [kafkaRounds, natsRounds] = await sending;
    await producer.disconnect();

    const http = `http://127.0.0.1:${nodes.portOf(0)}`;
    for (const [namespace, rounds] of [
      ['kafka', kafkaRounds],
      ['nats', natsRounds],
    ] as const) {
      const expected = Array.from({ length: rounds }, (_, n) => n);
      for (const key of KEYS) {
        const channel = `${namespace}:${key}`;
        await eventually(`${channel} has all`, async () => (await wholeHistory(http, channel)).length >= rounds);
        expect(await wholeHistory(http, channel)).toEqual(expected);
      }
    }
    process.stdout.write(`${(kafkaRounds + natsRounds) * KEYS.length} messages, ${killed}\n`);
  },
);

// @module-tag redis
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { api } from '../../support/api-client.js';
import { buildServer, type Build } from '../../support/built-server.js';
import { eventually } from '../../support/eventually.js';
import { namespacesFile, type NamespacesFile } from '../../support/namespaces-file.js';
import { PostgresServer } from '../../support/postgres-server.js';
import { DURABLE, RedisServer } from '../../support/redis-server.js';
import { Scrape } from '../../support/scrape.js';
import { Nodes } from '../scenarios/nodes.js';
import { randomNumbers } from '../scenarios/walk.js';
import { CHANNELS, Writers, type Written } from './writers.js';

/** How long there are writers. `npm run test:soak` has more. */
const SECONDS = Number(process.env.OUTBOX_SECONDS ?? 2);
const SEED = Number(process.env.OUTBOX_SEED ?? Math.floor(Math.random() * 2 ** 31));
const NAMESPACE = 'subscribe: anyone, publish: nobody, history: { size: 1000000, age: 1h }';
const PAGE = 1_000;

interface Page {
  readonly epoch: string;
  readonly seq: number;
  readonly publications: readonly { readonly seq: number; readonly data: Written }[];
}

/** Everything that was ever published in a channel. */
async function published(http: string, channel: string): Promise<Written[]> {
  const all: Written[] = [];
  for (let since = '', seq = 0; ;) {
    const { body } = await api({ http }, `GET /api/channels/${channel}/history?limit=${PAGE}${since}`);
    const page = body as Page;
    all.push(...page.publications.map(({ data }) => data));
    seq = page.publications.at(-1)?.seq ?? page.seq;
    if (seq >= page.seq) return all;
    since = `&sinceEpoch=${page.epoch}&sinceSeq=${seq}`;
  }
}

async function isReading(port: number): Promise<boolean> {
  const scrape = await Scrape.of({ http: `http://127.0.0.1:${port}` });
  return scrape.value('gatehouse_outbox_reading') === 1;
}

/** Returns the node that reads now. */
async function reader(nodes: Nodes): Promise<number> {
  let found = -1;
  await eventually('a node reads', async () => {
    for (let index = 0; index < nodes.count; index += 1) {
      const port = nodes.portOf(index);
      if (port !== undefined && (await isReading(port))) found = index;
    }
    return found >= 0;
  });
  return found;
}

/** Kills the database and the node that reads, each at least once, and goes on at random until the time is over. */
async function killAtRandom(nodes: Nodes, postgres: PostgresServer, random: () => number): Promise<string> {
  const killed = { nodes: 0, postgres: 0 };
  const over = performance.now() + SECONDS * 1_000;
  while (performance.now() < over || killed.nodes === 0 || killed.postgres === 0) {
    await pause(random() * 1_000);
    if (random() < 0.5) {
      killed.postgres += 1;
      await postgres.kill();
      await pause(random() * 500);
      await postgres.restart();
    } else {
      killed.nodes += 1;
      const victim = await reader(nodes);
      await nodes.end(victim, 'SIGKILL');
      await nodes.startNode(victim);
    }
  }
  return `killed: the reader ${killed.nodes} times, PostgreSQL ${killed.postgres} times`;
}

let postgres: PostgresServer;
let redis: RedisServer;
let build: Build;
let file: NamespacesFile;
let nodes: Nodes;

/** Two nodes for the whole file: each start of a node with an outbox takes seconds of processor time. */
beforeAll(async () => {
  postgres = await PostgresServer.start();
  redis = await RedisServer.start(DURABLE);
  build = await buildServer();
  file = namespacesFile({ feed: NAMESPACE });
  const environment = {
    ...file.environment,
    REDIS_URL: redis.url,
    // A busy machine must not make Redis look silent.
    REDIS_TIMEOUT_MS: '60000',
    POSTGRES_URL: postgres.url,
  };
  nodes = await Nodes.start(build, [environment, environment]);
});

afterAll(async () => {
  await nodes?.[Symbol.asyncDispose]();
  file?.[Symbol.dispose]();
  await build?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

it(
  `publishes what 8 writers commit once and in order, and nothing else, although nodes and PostgreSQL are killed (seed ${SEED})`,
  { tags: ['postgres'] },
  async () => {
    const random = randomNumbers(SEED);
    const writers = await Writers.start(postgres, random);
    const killed = await killAtRandom(nodes, postgres, random);
    await writers.stop();

    await eventually('every row is published', async () => {
      const rows = await postgres.query('SELECT FROM gatehouse_outbox LIMIT 1').catch(() => undefined);
      return rows?.length === 0;
    });
    let count = 0;
    for (const channel of CHANNELS) {
      const written = await writers.committed(channel);
      expect(await published(`http://127.0.0.1:${nodes.portOf(0)}`, channel)).toEqual(written);
      count += written.length;
    }
    expect(await postgres.query('SELECT * FROM gatehouse_outbox_refused')).toEqual([]);
    expect(count).toBeGreaterThan(0);
    process.stdout.write(`${count} rows, ${killed}\n`);
  },
);

it(
  'another node reads on when the reader is frozen, and nothing comes twice when it wakes',
  { tags: ['postgres'] },
  async () => {
    const frozen = await reader(nodes);
    const other = 1 - frozen;
    const http = `http://127.0.0.1:${nodes.portOf(other)}`;
    const publish = (n: number) => postgres.query('SELECT gatehouse_publish($1, $2)', ['feed:frozen', { xid: '0', n }]);
    await publish(0);
    nodes.signal(frozen, 'SIGSTOP');
    await publish(1);
    await eventually('the other node reads', () => isReading(nodes.portOf(other) ?? 0));
    await eventually('the row is published', async () => (await published(http, 'feed:frozen')).length === 2);
    nodes.signal(frozen, 'SIGCONT');
    await eventually('it knows', async () => !(await isReading(nodes.portOf(frozen) ?? 0)));
    await publish(2);
    await eventually('the next row is published', async () => (await published(http, 'feed:frozen')).length === 3);
    expect((await published(http, 'feed:frozen')).map(({ n }) => n)).toEqual([0, 1, 2]);
  },
);

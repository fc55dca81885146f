// How many rows a second one node publishes from an outbox in PostgreSQL, of a backlog, and how long one row takes.
//
//   npx tsx bench/outbox.ts [rows]
//
// Needs PostgreSQL 14 or later on this machine. The server keeps everything in memory, and one subscriber reads along.
import { buildServer, ServerProcess } from '../test/support/built-server.js';
import { PostgresServer } from '../test/support/postgres-server.js';
import { namespacesFile } from '../test/support/namespaces-file.js';
import { connect } from '../test/support/test-client.js';
import { TEST_ENVIRONMENT } from '../test/support/test-server.js';

const rows = Number(process.argv[2] ?? 100_000);
const CHANNELS = 100;
const SINGLES = 200;

await using postgres = await PostgresServer.start();
using file = namespacesFile({ feed: 'subscribe: anyone, publish: nobody, history: { size: 100, age: 10m }' });
await postgres.query(
  `SELECT gatehouse_publish('feed:' || n % ${CHANNELS}, jsonb_build_object('id', n, 'state', 'paid', 'text', repeat('x', 200)))
   FROM generate_series(1, ${rows}) n`,
);
await using build = await buildServer();
const environment = { ...TEST_ENVIRONMENT, ...file.environment, POSTGRES_URL: postgres.url };
await using server = await ServerProcess.start(build, environment);
await using client = await connect(`ws://127.0.0.1:${await server.port()}/ws`);
await client.request('subscribe', { channel: 'feed:single' });

const startedAt = performance.now();
const startRows = await left();
while ((await left()) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
const seconds = (performance.now() - startedAt) / 1_000;
process.stdout.write(`${Math.round(startRows / seconds)} rows a second of ${CHANNELS} channels, ${startRows} rows\n`);

await using writer = await postgres.connect();
const delays: number[] = [];
for (let n = 0; n < SINGLES; n += 1) {
  const at = performance.now();
  await writer.query(`SELECT gatehouse_publish('feed:single', '${n}')`);
  await client.next();
  delays.push(performance.now() - at);
}
delays.sort((one, other) => one - other);
const [p50, p99] = [0.5, 0.99].map((share) => delays[Math.floor(share * SINGLES)]?.toFixed(1));
process.stdout.write(`one row after the other: p50 ${p50} ms, p99 ${p99} ms from the insert to the subscriber\n`);

async function left(): Promise<number> {
  const [row] = await postgres.query<{ count: string }>('SELECT count(*) FROM gatehouse_outbox');
  return Number(row?.count ?? 0);
}

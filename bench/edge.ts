// How many messages a second an edge node stores, and forwards to its centre: at one time, and of a backlog.
//
//   npx tsx bench/edge.ts [messages of the backlog] [bytes of each]
//
// The edge is this process, the centre another one with everything in memory. The backlog is 100,000 messages of 300
// bytes; `1000000 1000` is one of a gigabyte.
import { parseEdgeRules, type ForwardRule } from '../config/edge-file.js';
import { EdgeEvents } from '../src/edge/edge-events.js';
import { EdgeNode } from '../src/edge/edge-node.js';
import { Upstream } from '../src/edge/link/upstream.js';
import { databaseOpener } from '../src/edge/store/edge-database.js';
import { Outbox } from '../src/edge/store/outbox.js';
import { buildServer, ServerProcess } from '../test/support/built-server.js';
import { namespacesFile } from '../test/support/namespaces-file.js';
import { temporaryFolder } from '../test/support/temporary-folder.js';
import { mintToken, TEST_ENVIRONMENT } from '../test/support/test-server.js';

const [backlog = 100_000, bytes = 300] = process.argv.slice(2).map(Number);
const AT_ONCE = 100;
const LIVE = 50_000;
const CHANNELS = 100;

await using folder = await temporaryFolder(process.cwd());
using file = namespacesFile({ feed: 'subscribe: anyone, publish: [EDGE], history: { size: 10, age: 10m }' });
await using build = await buildServer();
await using centre = await ServerProcess.start(build, {
  ...TEST_ENVIRONMENT,
  ...file.environment,
  EDGE_CENTRE: 'on',
});
const events = new EdgeEvents();
const { forward } = parseEdgeRules(`forward: { channels: ['*'], max_bytes: 4GiB }`, new Map());
const [rule] = forward as readonly [ForwardRule];
const outbox = await Outbox.open({ openDatabase: await databaseOpener(folder.path, events), rules: forward, events });
const upstream = new Upstream(
  {
    upstream: `ws://127.0.0.1:${await centre.port()}/ws`,
    token: mintToken({ sub: 'line-1', roles: ['EDGE'] }),
    tokenFile: undefined,
  },
  events,
);
const edge = new EdgeNode({ outbox, upstream, events });
const data = 'x'.repeat(bytes);

const storing = await seconds(() => store(backlog));
process.stdout.write(`stored: ${Math.round(backlog / storing)} a second, ${AT_ONCE} at one time\n`);
const memoryBefore = process.memoryUsage.rss();
let most = memoryBefore;
const watching = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 100);
await edge.onApplicationBootstrap();
const draining = await seconds(emptied);
process.stdout.write(
  `backlog: ${Math.round(backlog / draining)} a second forwarded, ${mebibytes(backlog * bytes)} MiB\n`,
);
process.stdout.write(`memory: ${mebibytes(memoryBefore)} MiB before, at most ${mebibytes(most)} MiB meanwhile\n`);
const through = await seconds(async () => {
  await store(LIVE);
  await emptied();
});
process.stdout.write(`stored and forwarded: ${Math.round(LIVE / through)} a second\n`);
clearInterval(watching);
await edge.onApplicationShutdown();

async function store(count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += AT_ONCE) {
    const group = Array.from({ length: AT_ONCE }, (_, n) =>
      outbox.append(rule, { channel: `feed:${n % CHANNELS}`, data }),
    );
    await Promise.all(group);
  }
}

async function emptied(): Promise<void> {
  while (edge.read().messages > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function seconds(run: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return (performance.now() - startedAt) / 1_000;
}

function mebibytes(count: number): number {
  return Math.round(count / 1_048_576);
}

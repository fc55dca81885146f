/**
 * An edge node without the server around it, for tests that kill it: it takes numbers from its standard input, one a line,
 * stores each, and writes `stored <number>` when it is on the disk.
 */
import { createInterface } from 'node:readline';
import { parseEdgeRules } from '../../../config/edge-file.js';
import { EdgeEvents } from '../../../src/edge/edge-events.js';
import { EdgeNode } from '../../../src/edge/edge-node.js';
import { Upstream } from '../../../src/edge/link/upstream.js';
import { databaseOpener } from '../../../src/edge/store/edge-database.js';
import { Outbox } from '../../../src/edge/store/outbox.js';

const { EDGE_DIR: folder = '', EDGE_UPSTREAM: upstream = '', EDGE_TOKEN: token } = process.env;
const events = new EdgeEvents();
const { forward } = parseEdgeRules(
  `forward: [{ name: urgent, channels: ['feed:0'], priority: high }, { channels: ['*'] }]`,
  new Map(),
);
const outbox = await Outbox.open({ openDatabase: await databaseOpener(folder, events), rules: forward, events });
const edge = new EdgeNode({
  outbox,
  upstream: new Upstream({ upstream, token, tokenFile: undefined }, events),
  events,
});
await edge.onApplicationBootstrap();

const CHANNELS = 3;
const [urgent, normal] = forward;
/** Numbers on their way to the disk, where they would count as waiting. */
let underWay = 0;

async function store(n: number): Promise<void> {
  const rule = n % CHANNELS === 0 ? urgent : normal;
  if (rule === undefined) return;
  underWay += 1;
  await outbox.append(rule, { channel: `feed:${n % CHANNELS}`, data: n }).finally(() => (underWay -= 1));
  process.stdout.write(`stored ${n}\n`);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'waiting') process.stdout.write(`waiting ${underWay + edge.read().messages}\n`);
  else void store(Number(line));
});
process.stdout.write('open\n');

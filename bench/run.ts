import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { attack } from './cases/attack.js';
import type { BenchCase, Extent } from './cases/bench-case.js';
import { channels } from './cases/channels.js';
import { cluster } from './cases/cluster.js';
import { connect } from './cases/connect.js';
import { echo } from './cases/echo.js';
import { fanoutCompressed } from './cases/fanout-compressed.js';
import { fanout } from './cases/fanout.js';
import { growthConnections } from './cases/growth-connections.js';
import { growthDeliveries } from './cases/growth-deliveries.js';
import { growthSubscriptions } from './cases/growth-subscriptions.js';
import { idleNode } from './cases/idle-node.js';
import { idle } from './cases/idle.js';
import { metrics } from './cases/metrics.js';
import { reconnectStorm } from './cases/reconnect-storm.js';
import { roles } from './cases/roles.js';
import { scene } from './cases/scene.js';
import { vehicles } from './cases/vehicles.js';
import { sizing } from './cases/sizing.js';
import { stuckReader } from './cases/stuck-reader.js';
import { tokens } from './cases/tokens.js';
import { tracing } from './cases/tracing.js';
import { workers } from './cases/workers.js';
import { pinningAdvice, stopEverythingAtExit } from './harness/children.js';
import { startablePeers } from './harness/installation.js';
import { writeCharts } from './harness/charts.js';
import { sectionInResults, sectionOf, writeSection } from './harness/report.js';
import { runCase } from './harness/run-case.js';
import { peerNamed } from './peers/catalogue.js';

const cases: readonly BenchCase[] = [
  echo,
  metrics,
  tracing,
  roles,
  fanout,
  fanoutCompressed,
  idle,
  connect,
  reconnectStorm,
  stuckReader,
  cluster,
  idleNode,
  channels,
  scene,
  vehicles,
  attack,
  sizing,
  growthDeliveries,
  growthConnections,
  growthSubscriptions,
  tokens,
  workers,
];
const names = cases.map((each) => each.name).join(', ');

const usage = `npm run bench -- [case…] [--peers a,b] [--runs n] [--quick] [--write]

  case       ${names}; all when none is named
  --peers    only these peers, in this order
  --runs     how often each peer is measured, in turns (5; with --quick 2)
  --quick    shorter and smaller: shows that it works, not how fast it is
  --write    puts the tables of these cases into bench/RESULTS.md and draws their pictures into bench/charts/
  --draw     measures nothing: draws the pictures again, from bench/RESULTS.md`;

interface Invocation {
  readonly cases: readonly BenchCase[];
  readonly peers: readonly string[] | null;
  readonly runs: number;
  readonly extent: Extent;
  readonly write: boolean;
  readonly drawOnly: boolean;
}

function readArguments(): Invocation | null {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peers: { type: 'string' },
      runs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      draw: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const { quick, write, draw: drawOnly } = values;
  const runs = Number(values.runs ?? (quick ? 2 : 5));
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a whole number from 1');
  const extent = quick ? { warmUpMs: 700, windowMs: 1_200, quick } : { warmUpMs: 1_500, windowMs: 2_500, quick };
  const peers = values.peers?.split(',') ?? null;
  peers?.forEach(peerNamed);
  return { cases: casesNamed(positionals), peers, runs, extent, write, drawOnly };
}

function casesNamed(wanted: readonly string[]): readonly BenchCase[] {
  const unknown = wanted.find((name) => !cases.some((each) => each.name === name));
  if (unknown !== undefined) throw new Error(`unknown case "${unknown}"; there are ${names}`);
  return wanted.length === 0 ? cases : cases.filter((each) => wanted.includes(each.name));
}

function giveUp(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const invocation = readArguments();
  if (!invocation) return console.log(usage);
  if (invocation.drawOnly) return invocation.cases.forEach(drawAgain);
  stopEverythingAtExit();
  const advice = pinningAdvice();
  if (advice !== null) console.error(advice);
  if (availableParallelism() < 2) console.error('One core only: the load generator competes with the server.');
  for (const benchCase of invocation.cases) await measure(benchCase, invocation);
}

function drawAgain(benchCase: BenchCase): void {
  const section = sectionInResults(benchCase.name);
  const files = section === null ? [] : writeCharts(benchCase, section);
  for (const file of files) console.error(`bench/charts/${file}`);
}

const variants = [
  'roles',
  'redis',
  'attacked',
  'rs256',
  'es256',
  'jwks',
  'batch',
  'publish',
  'publish-batch',
  'workers',
];

/** `--peers gatehouse` also means the variants of Gatehouse that some cases need. */
function peersMeant(benchCase: BenchCase, name: string): string[] {
  const meant = [name, ...variants.map((variant) => `${name}-${variant}`)];
  return benchCase.peers.filter((own) => meant.includes(own));
}

async function measure(benchCase: BenchCase, { peers, runs, extent, write }: Invocation): Promise<void> {
  console.error(`${benchCase.name}: ${benchCase.title}`);
  const wanted = peers?.flatMap((name) => peersMeant(benchCase, name)) ?? benchCase.peers;
  const startable = startablePeers(wanted.map(peerNamed));
  if (startable.length === 0) return console.error(`${benchCase.name}: no peer to measure\n`);
  const results = await runCase(benchCase, { peers: startable, runs, extent });
  if (results.measures().length === 0) process.exitCode = 1;
  const section = sectionOf(results);
  console.log(`\n${section}`);
  if (!write) return;
  writeSection(benchCase.name, section);
  writeCharts(benchCase, section);
}

if (process.platform === 'linux') await main().catch(giveUp);
else
  console.error(
    'The benchmark reads processor time and memory from /proc, which only Linux has. Nothing was measured.',
  );

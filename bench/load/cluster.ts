import { setTimeout as pause } from 'node:timers/promises';
import { startProcessorWindow, type ProcessorUse } from '../harness/processor-time.js';
import { percentile } from '../harness/statistics.js';
import { affordableTurns } from './affordable-turns.js';
import { countClosed, openConnections } from './connections.js';
import { DeliveryTimes } from './delivery-times.js';
import { clientFrame } from './frames.js';
import { runLoad, type Cluster, type LoadReport, type Reading, type Server, type Timing } from './job.js';
import { Publisher, settled } from './publisher.js';
import type { RawClient } from './raw-client.js';
import { RedisCommands } from './redis-commands.js';
import { channelWordsOf, subscribeAll } from './subscribing.js';

export interface ClusterJob extends Timing {
  readonly measure: string;
  readonly server: Server;
  readonly channel: string;
  readonly subscribers: number;
  /** Sessions that publish, each an equal part of a turn's publications. */
  readonly publishers: number;
  readonly publicationsPerTurn: number;
  /** For latencies and commands; the cost is measured at the rate at which the nodes are half busy. */
  readonly turnsPerSecond: number;
  readonly data: Readonly<Record<string, unknown>>;
}

const deliveryDeadlineMs = 10_000;
/** For the count of commands: MONITOR burdens Redis, so it is made apart. */
const countedMs = 1_000;
/** How far MONITOR may be behind. */
const monitorLagMs = 200;

/** Published on one node, delivered to the subscribers of another. */
async function cluster(job: ClusterJob): Promise<LoadReport> {
  const { server, measure } = job;
  const { others, redis } = clusterOf(server);
  const [second] = others;
  if (!second) throw new Error('two nodes are needed');
  const stage = await Stage.set(job, second);
  const pids = { nodes: [server.pid, second.pid], redis: redis.pid };
  await stage.publishFor(job.warmUpMs, job.turnsPerSecond);
  stage.deliveries.forget();
  const steady = await stage.measure(pids, job.windowMs, job.turnsPerSecond);
  const { milliseconds } = stage.deliveries;
  const latencies = [50, 99].map((rank) => percentile(milliseconds, rank));
  const deliveriesPerTurn = job.subscribers * job.publicationsPerTurn;
  const affordableAfter = ({ use, deliveries }: Measured) =>
    affordableTurns(use.microseconds / deliveries, deliveriesPerTurn);
  // Twice, for the busier a node is, the less a delivery costs.
  const probe = await stage.measure(pids, job.warmUpMs, affordableAfter(steady));
  const busy = await stage.measure(pids, job.windowMs, affordableAfter(probe));
  const readings: Reading[] = [
    { measure: `${measure}: p50 in ms`, value: latencies[0] ?? Number.NaN, use: steady.use },
    { measure: `${measure}: p99 in ms`, value: latencies[1] ?? Number.NaN, use: steady.use },
    {
      measure: `${measure}: both nodes, µs per delivery`,
      value: busy.use.microseconds / busy.deliveries,
      perSecond: (busy.deliveries * 1_000) / busy.use.elapsedMs,
      use: busy.use,
    },
    {
      measure: `${measure}: Redis, µs per publication`,
      value: redisMicroseconds(busy.use) / busy.publications,
      perSecond: (busy.publications * 1_000) / busy.use.elapsedMs,
    },
    ...(await readingsOfCommands(stage, redis.port, job)),
  ];
  return { readings, remarks: [], invalid: stage.complaint() };
}

interface Processes {
  readonly nodes: readonly number[];
  readonly redis: number;
}

interface Measured {
  readonly use: ProcessorUse;
  readonly deliveries: number;
  readonly publications: number;
}

function clusterOf({ cluster: found }: Server): Cluster {
  if (found) return found;
  throw new Error('this load is for servers on Redis');
}

/** The subscribers on one node and the publishers, who are none, on the other. */
class Stage {
  readonly deliveries: DeliveryTimes;

  private constructor(
    private readonly job: ClusterJob,
    private readonly subscribers: readonly RawClient[],
    private readonly publisher: Publisher,
  ) {
    this.deliveries = new DeliveryTimes(subscribers);
  }

  static async set(job: ClusterJob, second: Server): Promise<Stage> {
    const { server, channel, publicationsPerTurn } = job;
    const publishers = await openConnections(server, job.publishers);
    const subscribers = await openConnections(second, job.subscribers);
    await subscribeAll(subscribers, second.dialect, () => [channel]);
    const frame = clientFrame(channelWordsOf(server.dialect).publish(channel, job.data));
    return new Stage(job, subscribers, new Publisher(publishers, frame, publicationsPerTurn));
  }

  get published(): number {
    return this.publisher.published;
  }

  async measure(pids: Processes, durationMs: number, turnsPerSecond: number): Promise<Measured> {
    const deliveriesBefore = this.deliveries.count;
    const publishedBefore = this.published;
    const endWindow = startProcessorWindow(pids.nodes, [pids.redis]);
    await this.publishFor(durationMs, turnsPerSecond);
    return {
      use: endWindow(),
      deliveries: this.deliveries.count - deliveriesBefore,
      publications: this.published - publishedBefore,
    };
  }

  /** Until the last delivery. */
  async publishFor(durationMs: number, turnsPerSecond: number): Promise<void> {
    const { publicationsPerTurn } = this.job;
    await this.publisher.publish(turnsPerSecond, durationMs, (first) =>
      this.deliveries.expect(first, publicationsPerTurn),
    );
    await settled(() => this.deliveries.count >= this.expected(), deliveryDeadlineMs);
  }

  complaint(): string | null {
    const closed = countClosed(this.subscribers);
    const { count } = this.deliveries;
    if (count === this.expected() && closed === 0) return null;
    return `${count} of ${this.expected()} deliveries arrived, ${closed} connections were closed`;
  }

  private expected(): number {
    return this.publisher.published * this.subscribers.length;
  }
}

function redisMicroseconds({ besides }: ProcessorUse): number {
  return besides[0] ?? Number.NaN;
}

async function readingsOfCommands(
  stage: Stage,
  port: number,
  { measure, channel, turnsPerSecond }: ClusterJob,
): Promise<Reading[]> {
  await using commands = await RedisCommands.watch(port, channel);
  const before = stage.published;
  const started = performance.now();
  await stage.publishFor(countedMs, turnsPerSecond);
  await pause(monitorLagMs);
  const seconds = (performance.now() - started) / 1_000;
  const published = stage.published - before;
  const calls = commands.publishing.reduce((sum, { callsWithin }) => sum + callsWithin, 0);
  const readings = [
    { measure: `${measure}: Redis commands per publication`, value: commands.publishing.length / published },
    { measure: `${measure}: calls within scripts per publication`, value: calls / published },
    { measure: `${measure}: other commands about the channel a second`, value: commands.others.length / seconds },
  ];
  return readings.filter(({ value }, index) => index === 0 || value > 0);
}

await runLoad(cluster);

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { exactMicroseconds, startProcessorWindow, type ProcessorUse } from '../harness/processor-time.js';
import { countClosed, openConnections } from './connections.js';
import { DeliveryTimes } from './delivery-times.js';
import { clientFrame } from './frames.js';
import { runLoad, type LoadReport, type Reading, type Server, type Timing } from './job.js';
import { Publisher, settled } from './publisher.js';
import { channelWordsOf, subscribeAll } from './subscribing.js';

export interface IdleNodeJob extends Timing {
  readonly server: Server;
  /** Published in, on the busy node. */
  readonly channel: string;
  /** What the idle node has a subscriber of, so that it is one that hears publications. */
  readonly otherChannel: string;
  /** Sessions that publish, each once a turn. */
  readonly publishers: number;
  readonly turnsPerSecond: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Quiet, published, quiet, published: what the node does by itself is the same in all of them. */
const rounds = 3;
const deliveryDeadlineMs = 10_000;

interface Spent {
  readonly use: ProcessorUse;
  /** Beside what `use` says in clock ticks, which are too coarse for next to nothing. */
  readonly microseconds: number;
  readonly bytes: number;
}

async function idleNode(job: IdleNodeJob): Promise<LoadReport> {
  const { server, windowMs } = job;
  const idle = server.cluster?.others[0];
  if (!idle || !server.cluster) throw new Error('two nodes are needed');
  const publishers = await openConnections(server, job.publishers);
  const subscribers = await openConnections(server, 1);
  const bystanders = await openConnections(idle, 1);
  await subscribeAll(subscribers, server.dialect, () => [job.channel]);
  await subscribeAll(bystanders, idle.dialect, () => [job.otherChannel]);
  const deliveries = new DeliveryTimes(subscribers);
  const frame = clientFrame(channelWordsOf(server.dialect).publish(job.channel, job.data));
  const publisher = new Publisher(publishers, frame, job.publishers);
  const publish = async (durationMs: number): Promise<void> => {
    await publisher.publish(job.turnsPerSecond, durationMs);
    await settled(() => deliveries.count >= publisher.published, deliveryDeadlineMs);
  };

  await publish(job.warmUpMs);
  const before = publisher.published;
  const besides = [server.pid, server.cluster.redis.pid];
  const quiet: Spent[] = [];
  const busy: Spent[] = [];
  for (let round = 0; round < rounds; round += 1) {
    quiet.push(await spentBy(idle.pid, besides, () => pause(windowMs)));
    busy.push(await spentBy(idle.pid, besides, () => publish(windowMs)));
  }
  const published = publisher.published - before;
  const closed = countClosed([...publishers, ...subscribers, ...bystanders]);
  const isComplete = deliveries.count === publisher.published && closed === 0;
  return {
    readings: readingsOf(quiet, busy, published),
    remarks: [],
    invalid: isComplete ? null : `${deliveries.count} of ${publisher.published} arrived, ${closed} were closed`,
  };
}

async function spentBy(pid: number, besides: readonly number[], during: () => Promise<void>): Promise<Spent> {
  const bytes = bytesRead(pid);
  const microseconds = exactMicroseconds(pid);
  const endWindow = startProcessorWindow(pid, besides);
  await during();
  return { use: endWindow(), microseconds: exactMicroseconds(pid) - microseconds, bytes: bytesRead(pid) - bytes };
}

/** What it has read from sockets and files. */
function bytesRead(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? Number.NaN);
}

/** What the publications add to a second of the idle node, for each publication. */
function readingsOf(quiet: readonly Spent[], busy: readonly Spent[], published: number): Reading[] {
  const elapsedMs = total(busy, ({ use }) => use.elapsedMs);
  const share = elapsedMs / total(quiet, ({ use }) => use.elapsedMs);
  const added = (of: (spent: Spent) => number): number => (total(busy, of) - total(quiet, of) * share) / published;
  const ofQuiet = quiet.map(({ use, microseconds }) => (microseconds * 1_000) / use.elapsedMs);
  const perSecond = (published * 1_000) / elapsedMs;
  const noise = (Math.max(...ofQuiet) - Math.min(...ofQuiet)) / perSecond;
  const [use] = busy.map((spent) => spent.use);
  return [
    {
      measure: 'idle node, µs per publication',
      value: added(({ microseconds }) => microseconds),
      perSecond,
      ...(use && { use }),
    },
    { measure: 'noise: its quiet windows differ by, µs per publication', value: noise },
    { measure: 'idle node, bytes received per publication', value: added(({ bytes }) => bytes) },
    {
      measure: 'node of publisher and subscriber, µs per publication',
      value: added((spent) => spent.use.besides[0] ?? Number.NaN),
    },
  ];
}

function total(spent: readonly Spent[], of: (each: Spent) => number): number {
  return spent.reduce((sum, each) => sum + of(each), 0);
}

await runLoad(idleNode);

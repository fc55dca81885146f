import { setTimeout as pause } from 'node:timers/promises';
import { startProcessorWindow, type ProcessorUse } from '../harness/processor-time.js';
import { countClosed, openConnections } from './connections.js';
import { runLoad, type LoadReport, type Reading, type Server } from './job.js';
import { bytesAfterCollection } from './memory.js';
import type { RawClient } from './raw-client.js';
import { redisBytes } from './redis-commands.js';
import { subscribeAll } from './subscribing.js';

export interface ChannelsJob {
  /** What the channels are, such as `history`. */
  readonly kind: string;
  readonly server: Server;
  readonly namespace: string;
  readonly sessions: number;
  readonly channelsPerSession: number;
  readonly settleMs: number;
  /** How long what the channels cost while nothing happens is looked at. */
  readonly restMs: number;
}

/** Those that subscribe before anything is measured, so that the code is compiled. */
const warmUpSessions = 20;

interface Step {
  /** Growth by what was subscribed, in bytes, of the node and of Redis. */
  readonly bytes: number;
  readonly redisBytes: number;
  readonly resident: number;
  readonly use: ProcessorUse;
}

/** First all sessions in the same channels, then each in as many of its own: the difference is what a channel takes. */
async function channels(job: ChannelsJob): Promise<LoadReport> {
  const { server, namespace, sessions, channelsPerSession } = job;
  const first = await openConnections(server, warmUpSessions);
  const clients = await openConnections(server, sessions);
  const named = (prefix: string): string[] =>
    Array.from({ length: channelsPerSession }, (_, number) => `${namespace}:${prefix}-${number}`);
  await subscribeAll(first, server.dialect, (index) => named(`warm-up-${index}`));
  const common = await step(job, clients, () => named('common'));
  const own = await step(job, clients, (index) => named(`own-${index}`));
  const rest = await spentAtRest(job);
  const closed = countClosed([...first, ...clients]);
  return {
    readings: [...readingsOf(job, common, own), ...readingsAtRest(job, rest)],
    remarks: [],
    invalid: closed > 0 ? `${closed} connections were closed` : null,
  };
}

async function step(
  job: ChannelsJob,
  clients: readonly RawClient[],
  channelsOf: (index: number) => readonly string[],
): Promise<Step> {
  const { server, settleMs } = job;
  const before = await bytesAfterCollection(server, settleMs);
  const redisBefore = await bytesInRedis(server);
  const endWindow = startProcessorWindow(server.pid, pidsOfRedis(server));
  await subscribeAll(clients, server.dialect, channelsOf);
  const use = endWindow();
  const resident = await bytesAfterCollection(server, settleMs);
  return { bytes: resident - before, redisBytes: (await bytesInRedis(server)) - redisBefore, resident, use };
}

async function bytesInRedis({ cluster }: Server): Promise<number> {
  return cluster ? redisBytes(cluster.redis.port) : 0;
}

function pidsOfRedis({ cluster }: Server): number[] {
  return cluster ? [cluster.redis.pid] : [];
}

async function spentAtRest({ server, restMs }: ChannelsJob): Promise<ProcessorUse> {
  const endWindow = startProcessorWindow(server.pid, pidsOfRedis(server));
  await pause(restMs);
  return endWindow();
}

function readingsOf(job: ChannelsJob, common: Step, own: Step): Reading[] {
  const { kind } = job;
  const count = job.sessions * job.channelsPerSession;
  const [redisMicroseconds] = own.use.besides;
  return [
    { measure: `${kind}: bytes per subscription, channels shared`, value: common.bytes / count },
    { measure: `${kind}: bytes per channel with 1 subscription`, value: own.bytes / count },
    { measure: `${kind}: bytes per channel alone`, value: (own.bytes - common.bytes) / count },
    { measure: `${kind}: MiB of the node with all of them`, value: own.resident / 1024 / 1024 },
    subscribing(`${kind}: µs per subscribe, channels shared`, common.use, count),
    subscribing(`${kind}: µs per subscribe, channel of its own`, own.use, count),
    ...(redisMicroseconds === undefined
      ? []
      : [
          { measure: `${kind}: Redis, µs per subscribe, channel of its own`, value: redisMicroseconds / count },
          { measure: `${kind}: Redis, bytes per channel`, value: own.redisBytes / count },
        ]),
  ];
}

function subscribing(measure: string, use: ProcessorUse, count: number): Reading {
  return { measure, value: use.microseconds / count, perSecond: (count * 1_000) / use.elapsedMs, use };
}

function readingsAtRest({ kind }: ChannelsJob, { microseconds, besides, elapsedMs }: ProcessorUse): Reading[] {
  const [redis] = besides;
  return [
    { measure: `${kind}: at rest, ms per second`, value: microseconds / elapsedMs },
    ...(redis === undefined ? [] : [{ measure: `${kind}: Redis at rest, ms per second`, value: redis / elapsedMs }]),
  ];
}

await runLoad(channels);

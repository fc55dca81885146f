import type { ConnectJob } from '../load/connect.js';
import type { FanoutJob } from '../load/fanout.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';
import { echoLoads, echoRequest } from './echo.js';
import { publicationData } from './fanout.js';

const many = 500;
/** One for each worker, about. What a publication costs the primary does not depend on the subscribers of a worker. */
const few = 2;
const inFlight = 32;
/** Each worker opens only a part of the connections, so the path takes longer to be compiled. */
const longerWarmUp = 4;

/** Rates that leave one core time for all processes of the server. */
const bursts = [
  { subscribers: many, publicationsPerTurn: 1, turnsPerSecond: 40 },
  { subscribers: many, publicationsPerTurn: 10, turnsPerSecond: 10 },
  // Often enough that the time of the primary at rest does not count.
  { subscribers: few, publicationsPerTurn: 10, turnsPerSecond: 200 },
];

/** All processes share one core, so the figures say what they take, and not how fast they are on several. */
export const workers: BenchCase = {
  name: 'workers',
  title: `One process beside a primary with two workers, without Redis`,
  unit: 'processor µs of all processes per message, delivery or connection; "primary": of the primary alone',
  peers: ['gatehouse-workers', 'gatehouse', 'bare-ws'],
  comparedWith: 'gatehouse',
  targets: [
    { kind: 'ratio', measure: 'echo, 1 outstanding', against: 'gatehouse', bound: 'atMost', reach: 1.1 },
    { kind: 'ratio', measure: 'open and close', against: 'gatehouse', bound: 'atMost', reach: 1.3 },
  ],
  loads: (server, extent) => {
    const { warmUpMs, windowMs } = extent;
    const echoes = echoLoads(server, extent, echoRequest).map((load) => ({ ...load, job: named(load.job) }));
    const fanouts = bursts.map((burst) => {
      const job: FanoutJob = {
        measure: `broadcast to ${burst.subscribers}, ${burst.publicationsPerTurn} a turn`,
        server,
        subscribers: burst.subscribers,
        publicationsPerTurn: burst.publicationsPerTurn,
        data: publicationData,
        pace: { kind: 'fixed', turnsPerSecond: burst.turnsPerSecond },
        warmUpMs,
        windowMs,
      };
      return { script: 'fanout', job, limitMs: warmUpMs + windowMs + loadOverheadMs };
    });
    const connectWarmUpMs = longerWarmUp * warmUpMs;
    const job: ConnectJob = { measure: 'open and close', server, inFlight, warmUpMs: connectWarmUpMs, windowMs };
    return [...echoes, ...fanouts, { script: 'connect', job, limitMs: connectWarmUpMs + windowMs + loadOverheadMs }];
  },
};

function named(job: object): object {
  return 'measure' in job ? { ...job, measure: `echo, ${String(job.measure)}` } : job;
}

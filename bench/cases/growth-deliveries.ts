import type { FanoutJob } from '../load/fanout.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';
import { publicationData } from './fanout.js';

const levels = [100, 500, 1_000, 4_000, 8_000, 10_000];
const quickLevels = [100, 500, 2_000];
/** More turns would run together, since the timers of the publisher count in milliseconds. */
const mostTurnsPerSecond = 400;
const probeDeliveriesPerSecond = 15_000;
const slowestProbe = 1.5;
/** Of a connection, on a busy machine. */
const connectMs = 8;

const measureOf = (subscribers: number): string => `${subscribers.toLocaleString('en')} subscribers`;

export const growthDeliveries: BenchCase = {
  name: 'growth-deliveries',
  title: 'A delivery as the subscribers grow, one 110-byte publication a turn, the server half busy',
  unit: 'processor µs per delivery',
  peers: ['gatehouse', 'bare-ws', 'socket-io', 'bun', 'nchan', 'mosquitto'],
  mostRuns: 3,
  targets: [
    {
      kind: 'ratio',
      measure: measureOf(8_000),
      against: null,
      againstMeasure: measureOf(500),
      bound: 'atMost',
      reach: 1.2,
    },
  ],
  charts: [
    {
      kind: 'curve',
      file: 'growth-deliveries.svg',
      title: 'One delivery as the subscribers grow',
      unit: 'processor µs per delivery',
      over: 'subscribers',
      points: levels.map((at) => ({ measure: measureOf(at), at })),
    },
  ],
  loads: (server, { warmUpMs, windowMs, quick }) =>
    (quick ? quickLevels : levels).map((subscribers) => {
      const probeTurnsPerSecond = Math.max(slowestProbe, probeDeliveriesPerSecond / subscribers);
      const job: FanoutJob = {
        measure: measureOf(subscribers),
        server,
        subscribers,
        publicationsPerTurn: 1,
        pace: { kind: 'half busy', probeTurnsPerSecond, mostTurnsPerSecond },
        data: publicationData,
        warmUpMs,
        windowMs,
      };
      return { script: 'fanout', job, limitMs: 2 * warmUpMs + windowMs + loadOverheadMs + subscribers * connectMs };
    }),
};

import type { GrowthConnectionsJob } from '../load/growth-connections.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';

const levels = [1_000, 2_000, 4_000, 7_000, 10_000];
const quickLevels = [1_000, 2_000];

const measureOf = (connections: number): string => `${connections.toLocaleString('en')} connections`;

export const growthConnections: BenchCase = {
  name: 'growth-connections',
  title: 'Memory of an idle connection as the connections grow, each time after a forced collection',
  unit: 'KiB per connection',
  peers: ['gatehouse', 'bare-ws', 'socket-io', 'bun', 'nchan', 'mosquitto'],
  mostRuns: 3,
  targets: [],
  charts: [
    {
      kind: 'curve',
      file: 'growth-connections.svg',
      title: 'Memory of an idle connection as the connections grow',
      unit: 'KiB per connection',
      over: 'connections',
      points: levels.map((at) => ({ measure: measureOf(at), at })),
    },
  ],
  loads: (server, { quick }) => {
    const job: GrowthConnectionsJob = {
      server,
      levels: (quick ? quickLevels : levels).map((connections) => ({ measure: measureOf(connections), connections })),
      settleMs: quick ? 600 : 2_000,
    };
    return [{ script: 'growth-connections', job, limitMs: 3 * loadOverheadMs }];
  },
};

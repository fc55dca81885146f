import type { EchoInTurnsJob } from '../load/echo-in-turns.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';
import { echoRequest } from './echo.js';

const connections = 50;
const depths = [1, 8];

const withMetrics = (outstanding: number): string => `${outstanding} outstanding`;
const without = (outstanding: number): string => `${outstanding} outstanding, not counted`;

export const metrics: BenchCase = {
  name: 'metrics',
  title: 'The same echo, in turns with and without the metrics that are counted for every message, in one process',
  unit: 'processor µs per message',
  peers: ['gatehouse-metrics-in-turns'],
  comparedWith: 'gatehouse-metrics-in-turns',
  targets: depths.map((depth) => ({
    kind: 'ratio',
    measure: withMetrics(depth),
    against: null,
    againstMeasure: without(depth),
    bound: 'atMost',
    reach: 1.03,
  })),
  loads: (server, { warmUpMs, windowMs }) =>
    depths.map((outstanding) => {
      const job: EchoInTurnsJob = {
        ...echoRequest,
        server,
        connections,
        outstanding,
        measures: [withMetrics(outstanding), without(outstanding)],
        signal: 'SIGHUP',
        warmUpMs,
        windowMs: windowMs / 4,
      };
      return { script: 'echo-in-turns', job, limitMs: warmUpMs + 8 * windowMs + loadOverheadMs };
    }),
};

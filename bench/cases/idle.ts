import type { IdleJob } from '../load/idle.js';
import { barsOf } from './chart.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';

const peers = ['gatehouse', 'bare-ws', 'stock-nest', 'socket-io', 'bun', 'nchan', 'mosquitto'];

export const idle: BenchCase = {
  name: 'idle',
  title: 'Memory of an idle connection: growth of the resident size by 5,000 more, each time after a forced collection',
  unit: 'KiB per connection',
  peers,
  targets: [
    { kind: 'ratio', measure: 'idle', against: 'bare-ws', bound: 'atMost', reach: 1.15 },
    { kind: 'ratio', measure: 'idle', against: 'socket-io', bound: 'atMost', reach: 0.4 },
  ],
  charts: [
    {
      kind: 'bars',
      file: 'idle.svg',
      title: 'Memory of an idle connection',
      unit: 'KiB per connection',
      bars: barsOf('idle', peers),
    },
  ],
  loads: (server, { quick }) => {
    const job: IdleJob = { measure: 'idle', server, connections: quick ? 2_000 : 5_000, settleMs: quick ? 600 : 2_000 };
    return [{ script: 'idle', job, limitMs: loadOverheadMs }];
  },
};

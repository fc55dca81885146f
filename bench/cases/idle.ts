import type { IdleJob } from '../load/idle.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';

export const idle: BenchCase = {
  name: 'idle',
  title: 'Memory of an idle connection: growth of the resident size by 5,000 more, each time after a forced collection',
  unit: 'KiB per connection',
  peers: ['gatehouse', 'bare-ws', 'stock-nest', 'socket-io', 'bun', 'nchan', 'mosquitto'],
  targets: [
    { kind: 'ratio', measure: 'idle', against: 'bare-ws', bound: 'atMost', reach: 1.15 },
    { kind: 'ratio', measure: 'idle', against: 'socket-io', bound: 'atMost', reach: 0.4 },
  ],
  loads: (server, { quick }) => {
    const job: IdleJob = { measure: 'idle', server, connections: quick ? 2_000 : 5_000, settleMs: quick ? 600 : 2_000 };
    return [{ script: 'idle', job, limitMs: loadOverheadMs }];
  },
};

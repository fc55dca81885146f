import type { SizingJob } from '../load/sizing.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';

const full = { connections: 10_000, echoesPerSecond: 1_000, settleMs: 3_000, windowMs: 50_000 };
const quickly = { connections: 1_000, echoesPerSecond: 100, settleMs: 600, windowMs: 2_000 };

export const sizing: BenchCase = {
  name: 'sizing',
  title: 'What a node takes for 10,000 clients: memory, and the share of a core by what they do',
  unit: 'as named',
  peers: ['gatehouse'],
  mostRuns: 1,
  targets: [],
  loads(server, { quick }) {
    const job: SizingJob = { ...(quick ? quickly : full), server, namespace: 'kept', subscribersPerChannel: 100 };
    return [{ script: 'sizing', job, limitMs: job.windowMs * 3 + 2 * loadOverheadMs }];
  },
};

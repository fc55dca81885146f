import type { StuckReaderJob } from '../load/stuck-reader.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';

/** The stuck one must miss far more than kernel buffers (some MiB) and the outbound queue (1 MiB) can hold for it. */
const full = { subscribers: 1_000, windowMs: 60_000, warmUpMs: 5_000, publicationBytes: 16 * 1024, turnsPerSecond: 15 };
const quickly = { subscribers: 100, windowMs: 8_000, warmUpMs: 2_000, publicationBytes: 96 * 1024, turnsPerSecond: 15 };

export const stuckReader: BenchCase = {
  name: 'stuck-reader',
  title: 'One subscriber that never reads, under broadcast load: what it costs the server and the others',
  unit: 'as named',
  peers: ['gatehouse', 'bare-ws'],
  mostRuns: 1,
  targets: [
    {
      kind: 'ratio',
      measure: 'p99 delivery in ms, one stuck',
      against: null,
      againstMeasure: 'p99 delivery in ms, all read',
      bound: 'atMost',
      reach: 1.25,
    },
    { kind: 'bound', measure: 'server memory growth in MiB, one stuck', atMost: 8 },
  ],
  loads: (server, { quick }) =>
    [false, true].map((stuck) => {
      const job: StuckReaderJob = { ...(quick ? quickly : full), server, stuck };
      return { script: 'stuck-reader', job, limitMs: job.warmUpMs + job.windowMs + loadOverheadMs };
    }),
};

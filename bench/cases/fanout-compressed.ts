import type { FanoutJob } from '../load/fanout.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';

const subscribers = 200;

/** About 2 KB that compress as a table of prices or positions does. */
const data = {
  rows: Array.from({ length: 24 }, (_, row) => ({
    id: `row-${row}`,
    price: 100 + row * 1.25,
    name: 'an instrument',
    open: true,
  })),
};

export const fanoutCompressed: BenchCase = {
  name: 'fanout-compressed',
  title: `Fan-out of 2 KB publications to ${subscribers} subscribers that negotiated compression`,
  unit: 'processor µs per delivery',
  peers: ['gatehouse-deflate', 'bare-ws-deflate'],
  // With one a turn, most of the time is the write to the socket, which costs more than a tenth of a compression.
  targets: [1, 10].map((count) => ({
    kind: 'ratio',
    measure: `${count} a turn`,
    against: 'bare-ws-deflate',
    bound: 'atMost',
    reach: 0.1,
  })),
  loads: (server, { warmUpMs, windowMs }) =>
    [1, 10].map((publicationsPerTurn) => {
      const job: FanoutJob = {
        publicationsPerTurn,
        pace: { kind: 'half busy', probeTurnsPerSecond: 5 },
        measure: `${publicationsPerTurn} a turn`,
        server,
        subscribers,
        data,
        warmUpMs,
        windowMs,
      };
      return { script: 'fanout', job, limitMs: 2 * warmUpMs + windowMs + loadOverheadMs };
    }),
};

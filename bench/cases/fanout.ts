import type { FanoutJob } from '../load/fanout.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';

const subscribers = 1_000;

const bursts = [
  { publicationsPerTurn: 1, probeTurnsPerSecond: 15 },
  { publicationsPerTurn: 10, probeTurnsPerSecond: 3 },
];

export const fanout: BenchCase = {
  name: 'fanout',
  title: `Fan-out to ${subscribers.toLocaleString('en')} subscribers, one publisher at a fixed rate, 110-byte publications`,
  unit: 'processor µs per delivery',
  peers: ['gatehouse', 'bare-ws', 'socket-io', 'bun'],
  targets: [
    { kind: 'ratio', measure: '1 a turn', against: 'bare-ws', bound: 'atMost', reach: 0.8 },
    { kind: 'ratio', measure: '10 a turn', against: 'bare-ws', bound: 'atMost', reach: 0.15 },
    { kind: 'ratio', measure: '10 a turn', against: 'bun', bound: 'atMost', reach: 1.5 },
  ],
  loads: (server, { warmUpMs, windowMs }) =>
    bursts.map((burst) => {
      const job: FanoutJob = {
        ...burst,
        measure: `${burst.publicationsPerTurn} a turn`,
        server,
        subscribers,
        data: { text: 'a publication as a room or a ticker sends them all day long', n: 17 },
        warmUpMs,
        windowMs,
      };
      return { script: 'fanout', job, limitMs: 2 * warmUpMs + windowMs + loadOverheadMs };
    }),
};

import type { FanoutJob } from '../load/fanout.js';
import { barsOf } from './chart.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';

const subscribers = 1_000;
/** Few enough that the slowest peer is not in arrears at the faster rate. */
const subscribersAtFixedRates = 500;

type Burst = Pick<FanoutJob, 'measure' | 'subscribers' | 'publicationsPerTurn' | 'pace'>;

const halfBusy: readonly Burst[] = [
  {
    measure: '1 a turn',
    subscribers,
    publicationsPerTurn: 1,
    pace: { kind: 'half busy', probeTurnsPerSecond: 15 },
  },
  {
    measure: '10 a turn',
    subscribers,
    publicationsPerTurn: 10,
    pace: { kind: 'half busy', probeTurnsPerSecond: 3 },
  },
];

/** The longer the readers sleep between two turns, the more it costs every server to wake them. */
const fixedRates = [40, 150].map((turnsPerSecond): Burst => ({
  measure: `1 a turn, ${turnsPerSecond} turns a second, ${subscribersAtFixedRates} subscribers`,
  subscribers: subscribersAtFixedRates,
  publicationsPerTurn: 1,
  pace: { kind: 'fixed', turnsPerSecond },
}));

export const publicationData = { text: 'a publication as a room or a ticker sends them all day long', n: 17 };

const peers = ['gatehouse', 'bare-ws', 'socket-io', 'bun', 'nchan', 'mosquitto'];

export const fanout: BenchCase = {
  name: 'fanout',
  title: `Fan-out to ${subscribers.toLocaleString('en')} subscribers, one publisher at a fixed rate, 110-byte publications`,
  unit: 'processor µs per delivery',
  peers,
  targets: [
    { kind: 'ratio', measure: '1 a turn', against: 'bare-ws', bound: 'atMost', reach: 0.8 },
    { kind: 'ratio', measure: '10 a turn', against: 'bare-ws', bound: 'atMost', reach: 0.15 },
    { kind: 'ratio', measure: '10 a turn', against: 'bun', bound: 'atMost', reach: 1.5 },
  ],
  charts: [
    {
      kind: 'bars',
      file: 'fanout-1.svg',
      title: 'One publication at a time to 1,000 subscribers',
      unit: 'processor µs per delivery',
      bars: barsOf('1 a turn', peers),
    },
    {
      kind: 'bars',
      file: 'fanout-10.svg',
      title: 'Ten publications at a time to 1,000 subscribers',
      unit: 'processor µs per delivery',
      bars: barsOf('10 a turn', peers),
    },
  ],
  loads: (server, { warmUpMs, windowMs }) =>
    [...halfBusy, ...fixedRates].map((burst) => {
      const job: FanoutJob = { ...burst, server, data: publicationData, warmUpMs, windowMs };
      return { script: 'fanout', job, limitMs: 2 * warmUpMs + windowMs + loadOverheadMs };
    }),
};

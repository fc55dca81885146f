import type { ClusterJob } from '../load/cluster.js';
import { barsOf } from './chart.js';
import { loadOverheadMs, type BenchCase, type RatioTarget } from './bench-case.js';

const subscribers = 200;
const peers = ['gatehouse-redis', 'socket-io-redis'];

/**
 * Latencies at fixed rates, for they compare at one rate only; Socket.IO's two nodes take less than half a core by them. A session's
 * messages are handled one after the other, so it matters whether a burst comes of one or of several.
 */
const bursts = [
  { name: '1 a turn', publishers: 1, publicationsPerTurn: 1, turnsPerSecond: 100 },
  { name: '10 a turn', publishers: 1, publicationsPerTurn: 10, turnsPerSecond: 20 },
  { name: '10 a turn of 10 sessions', publishers: 10, publicationsPerTurn: 10, turnsPerSecond: 20 },
];
const keptNameOf = (name: string): string => `${name}, history`;

/** Of Socket.IO's adapter, which keeps nothing; Gatehouse is held against it with a history too. */
function targetsOf(plain: string): RatioTarget[] {
  return [plain, keptNameOf(plain)].flatMap((name): RatioTarget[] => {
    const compared = (figure: string) => ({
      kind: 'ratio' as const,
      measure: `${name}: ${figure}`,
      against: 'socket-io-redis',
      againstMeasure: `${plain}: ${figure}`,
    });
    return [
      { ...compared('both nodes, µs per delivery'), bound: 'atLeast', reach: 5 },
      { ...compared('p50 in ms'), bound: 'atMost', reach: 1 },
      { ...compared('p99 in ms'), bound: 'atMost', reach: 1 },
    ];
  });
}

function loadOf(burst: (typeof bursts)[number], isKept: boolean): Omit<ClusterJob, 'server' | 'warmUpMs' | 'windowMs'> {
  const { name, ...pace } = burst;
  return {
    ...pace,
    measure: isKept ? keptNameOf(name) : name,
    channel: `${isKept ? 'kept' : 'passing'}:${name.replaceAll(' ', '-')}`,
    subscribers,
    data: { text: 'a publication as a room or a ticker sends them all day long', n: 17 },
  };
}

export const cluster: BenchCase = {
  name: 'cluster',
  title: `Published on one node, delivered to ${subscribers} subscribers of another through Redis, 110-byte publications`,
  unit: 'as named',
  peers,
  nodes: 2,
  comparedWith: 'socket-io-redis',
  targets: [
    ...bursts.flatMap(({ name }) => targetsOf(name)),
    { kind: 'bound', measure: '1 a turn: Redis commands per publication', atMost: 1 },
    { kind: 'bound', measure: '1 a turn, history: Redis commands per publication', atMost: 1 },
  ],
  charts: [
    {
      kind: 'bars',
      file: 'cluster-10.svg',
      title: 'Ten publications at a time from one node to another through Redis',
      unit: 'processor µs per delivery, both nodes together',
      bars: barsOf('10 a turn: both nodes, µs per delivery', peers),
    },
  ],
  loads: (server, { warmUpMs, windowMs }) =>
    // Socket.IO's adapter has no history: it is measured once.
    (server.dialect === 'gatehouse' ? [false, true] : [false]).flatMap((isKept) =>
      bursts.map((burst) => {
        const job: ClusterJob = { ...loadOf(burst, isKept), server, warmUpMs, windowMs };
        return { script: 'cluster', job, limitMs: 2 * (warmUpMs + windowMs) + loadOverheadMs };
      }),
    ),
};

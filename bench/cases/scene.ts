import type { SceneJob } from '../load/scene.js';
import { barsOf } from './chart.js';
import { loadOverheadMs, type BenchCase, type RatioTarget } from './bench-case.js';

/** How each peer tells its viewers; the first is the subject of the targets. */
export const ways: Readonly<Record<string, SceneJob['way']>> = {
  'gatehouse-batch': 'state',
  gatehouse: 'state',
  'gatehouse-publish-batch': 'publish',
  'gatehouse-publish': 'publish',
  'socket-io': 'socket-io',
  colyseus: 'colyseus',
};
const peers = Object.keys(ways);

const sizes = [
  { measure: '1,000 updates a second, 100 viewers', updatesPerSecond: 1_000, viewers: 100 },
  { measure: '5,000 updates a second, 500 viewers', updatesPerSecond: 5_000, viewers: 500 },
  { measure: '10,000 updates a second, 1,000 viewers', updatesPerSecond: 10_000, viewers: 1_000 },
];
const [small, , large] = sizes.map(({ measure }) => measure);
/** Time for a thousand clients that join one after the other, and for what they get then. */
const joiningMs = 60_000;

function cheaper(figure: string, against: string, reach: number): RatioTarget {
  return { kind: 'ratio', measure: `${small}: ${figure}`, against, bound: 'atMost', reach };
}

export const scene: BenchCase = {
  name: 'scene',
  title: 'Avatars that move in a scene of 400 cells, and viewers who each look at 5 % of it',
  unit: 'as named',
  peers,
  // A busy server does not leave its clients behind for the next load.
  freshServers: true,
  comparedWith: 'socket-io',
  targets: [
    cheaper('bytes per update and viewer', 'gatehouse-publish', 0.2),
    cheaper('processor µs per update', 'socket-io', 1),
    cheaper('processor µs per update', 'colyseus', 1),
    { kind: 'bound', measure: `${large}: processor µs per update`, atMost: 100 },
    { kind: 'bound', measure: `${large}: p99 in ms from set to receipt`, atMost: 80 },
  ],
  charts: [
    {
      kind: 'bars',
      file: 'scene-bytes.svg',
      title: 'A scene with 1,000 updates a second and 100 viewers',
      unit: 'bytes per update and viewer',
      bars: barsOf(`${small}: bytes per update and viewer`, peers),
    },
  ],
  loads: (server, { warmUpMs, windowMs, quick }) =>
    (quick ? sizes.slice(0, 1) : sizes).map((size) => {
      const way = ways[server.name] ?? 'state';
      const job: SceneJob = { ...size, server, way, world: 'avatars', warmUpMs, windowMs: 2 * windowMs };
      return { script: 'scene', job, limitMs: warmUpMs + 2 * windowMs + joiningMs + loadOverheadMs };
    }),
};

import type { SceneJob } from '../load/scene.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';
import { ways } from './scene.js';

/** The room of Colyseus is a scene. */
const peers = Object.keys(ways).filter((name) => name !== 'colyseus');
const measure = '2,000 updates a second, 20 viewers';
const bytes = `${measure}: bytes per update and viewer`;
const joiningMs = 20_000;

export const vehicles: BenchCase = {
  name: 'vehicles',
  title: '200 vehicles of ten fields, of which five change ten times a second, and viewers who see all of them',
  unit: 'as named',
  peers,
  freshServers: true,
  comparedWith: 'gatehouse-publish',
  targets: [
    // What was found when state channels were designed: 83 bytes as one frame a tick, 19 of them compressed.
    { kind: 'bound', measure: bytes, atMost: 1.2 * 19 },
    { kind: 'ratio', measure: bytes, against: 'gatehouse-publish', bound: 'atMost', reach: 0.2 },
    { kind: 'bound', measure: `${measure}: processor µs per delivery`, atMost: 4 },
  ],
  loads: (server, { warmUpMs, windowMs }) => {
    const way = ways[server.name] ?? 'state';
    const size = { updatesPerSecond: 2_000, viewers: 20 };
    const job: SceneJob = { ...size, measure, server, way, world: 'vehicles', warmUpMs, windowMs: 2 * windowMs };
    return [{ script: 'scene', job, limitMs: warmUpMs + 2 * windowMs + joiningMs + loadOverheadMs }];
  },
};

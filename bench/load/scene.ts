import { setTimeout as pause } from 'node:timers/promises';
import { startProcessorWindow, type ProcessorUse } from '../harness/processor-time.js';
import { runLoad, type LoadReport, type Reading, type Server, type Timing } from './job.js';
import { settled } from './publisher.js';
import { openColyseus } from './scene-colyseus.js';
import { openScene, type Scene } from './scene-clients.js';
import type { SceneWay } from './scene-words.js';
import { worlds, type Mover, type World } from './scene-world.js';

export interface SceneJob extends Timing {
  /** Begins the name of each figure. */
  readonly measure: string;
  readonly server: Server;
  readonly way: SceneWay | 'colyseus';
  readonly world: keyof typeof worlds;
  readonly updatesPerSecond: number;
  readonly viewers: number;
}

/** The publishers send in turns, as a game loop does. */
const turnsPerSecond = 20;
/** Several ticks, of 50 ms each. After so long without a byte, what was sent last is with the viewers. */
const quietMs = 500;
const lookQuietMs = 2_000;
const quietLimitMs = 20_000;
/** Below it, the server has dropped updates. */
const mostArrive = 0.9;

async function scene(job: SceneJob): Promise<LoadReport> {
  const world = worlds[job.world];
  const size = { server: job.server, viewers: job.viewers, world };
  await using clients = job.way === 'colyseus' ? await openColyseus(size) : await openScene(size, job.way);
  const movers = world.movers(job.updatesPerSecond);
  const load = { clients, world, movers, perTurn: job.updatesPerSecond / turnsPerSecond };
  // All are there before anybody looks, so that no window has the first values.
  for (const mover of movers) clients.move(mover, { ...world.rest(mover), ...world.move(mover, now()) });
  await quiet(clients);
  await clients.look();
  await quiet(clients, lookQuietMs);
  await play(load, job.warmUpMs);
  clients.forget();
  const bytesBefore = clients.bytes();
  const endWindow = startProcessorWindow(job.server.pid);
  const moves = await play(load, job.windowMs);
  const use = endWindow();
  const updates = sum(moves.values());
  const seen = (viewer: number): number => sum(world.view(viewer).cells.map((cell) => moves.get(cell) ?? 0));
  const deliveries = sum(Array.from({ length: job.viewers }, (_, viewer) => seen(viewer)));
  const counted = sum(clients.counted.map(seen));
  const share = clients.times.length / sum(clients.sampled.map(seen));
  return {
    readings: readingsOf(job.measure, {
      use,
      updates,
      deliveries,
      bytes: (clients.bytes() - bytesBefore) / counted,
      times: clients.times.toSorted((one, other) => one - other),
      share,
    }),
    remarks: share < mostArrive ? [`${job.measure}: ${Math.round(share * 100)} % of the updates arrived`] : [],
    invalid: complaintOf(clients),
  };
}

function complaintOf(clients: Scene): string | null {
  const [closed, silent] = [clients.closed(), clients.silent()];
  return closed + silent === 0 ? null : `${closed} connections were closed, ${silent} viewers got nothing`;
}

interface Played {
  readonly use: ProcessorUse;
  readonly updates: number;
  readonly deliveries: number;
  readonly bytes: number;
  readonly times: readonly number[];
  readonly share: number;
}

function readingsOf(measure: string, { use, updates, deliveries, bytes, times, share }: Played): Reading[] {
  const reading = (name: string, value: number, more: Partial<Reading> = {}): Reading => ({
    measure: `${measure}: ${name}`,
    value,
    ...more,
  });
  const perSecond = (count: number): number => (count * 1_000) / use.elapsedMs;
  return [
    reading('bytes per update and viewer', bytes),
    reading('processor µs per update', use.microseconds / updates, { perSecond: perSecond(updates), use }),
    reading('processor µs per delivery', use.microseconds / deliveries, { perSecond: perSecond(deliveries) }),
    reading('p50 in ms from set to receipt', times[Math.floor(times.length / 2)] ?? Number.NaN),
    reading('p99 in ms from set to receipt', times[Math.floor(times.length * 0.99)] ?? Number.NaN),
    reading('updates that arrived, %', share * 100),
  ];
}

interface Load {
  readonly clients: Scene;
  readonly world: World;
  readonly movers: readonly Mover[];
  readonly perTurn: number;
}

/** Moves all in turn. Returns how many moves there were in each cell, once the last ones have arrived. */
async function play({ clients, world, movers, perTurn }: Load, durationMs: number): Promise<Map<string, number>> {
  const moves = new Map<string, number>();
  const turns = Math.max(1, Math.round((turnsPerSecond * durationMs) / 1_000));
  const started = performance.now();
  for (let turn = 0; turn < turns; turn += 1) {
    await pause(Math.max(0, started + (turn * 1_000) / turnsPerSecond - performance.now()));
    for (let n = 0; n < perTurn; n += 1) {
      const mover = movers[(turn * perTurn + n) % movers.length];
      if (mover === undefined) continue;
      clients.move(mover, world.move(mover, now()));
      moves.set(mover.cell, (moves.get(mover.cell) ?? 0) + 1);
    }
    clients.endTurn();
  }
  await quiet(clients);
  return moves;
}

/** Waits until nothing arrives any more. */
async function quiet(clients: Scene, forMs = quietMs): Promise<void> {
  clients.endTurn();
  let [bytes, since] = [-1, performance.now()];
  await settled(() => {
    if (clients.bytes() !== bytes) [bytes, since] = [clients.bytes(), performance.now()];
    return performance.now() - since > forMs;
  }, quietLimitMs);
}

function now(): number {
  return Math.round(performance.now());
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

await runLoad(scene);

import type { ConnectJob } from '../load/connect.js';
import type { Server } from '../load/job.js';
import { barsOf } from './chart.js';
import { loadOverheadMs, type BenchCase, type Extent, type Load } from './bench-case.js';

export const inFlight = 32;
/** Until V8 has compiled the path of a connection: before, what takes more code looks twice as dear. */
const longWarmUpMs = 15_000;

/** Connections are opened and closed as fast as the server lets them. */
export function connectLoad(measure: string, server: Server, { quick, warmUpMs, windowMs }: Extent): Load {
  const timing = { warmUpMs: quick ? warmUpMs : longWarmUpMs, windowMs: 2 * windowMs };
  const job: ConnectJob = { measure, server, inFlight, ...timing };
  return { script: 'connect', job, limitMs: timing.warmUpMs + timing.windowMs + loadOverheadMs };
}

const peers = ['gatehouse', 'bare-ws', 'stock-nest', 'socket-io', 'bun', 'nchan', 'mosquitto'];

export const connect: BenchCase = {
  name: 'connect',
  title: `Connections opened and closed, ${inFlight} in flight; Gatehouse verifies a JWT for each, the others nothing`,
  unit: 'processor µs per connection',
  peers,
  targets: [{ kind: 'ratio', measure: 'open and close', against: 'bare-ws', bound: 'atLeast', reach: 0.6 }],
  charts: [
    {
      kind: 'bars',
      file: 'connect.svg',
      title: 'Opening and closing a connection',
      unit: 'processor µs per connection',
      bars: barsOf('open and close', peers),
    },
  ],
  loads: (server, extent) => [connectLoad('open and close', server, extent)],
};

import type { ConnectJob } from '../load/connect.js';
import { barsOf } from './chart.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';

const inFlight = 32;
/** Until V8 has compiled the path of a connection: before, what takes more code looks twice as dear. */
const warmUp = 15_000;

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
  loads: (server, { quick, windowMs, ...extent }) => {
    const warmUpMs = quick ? extent.warmUpMs : warmUp;
    const job: ConnectJob = { measure: 'open and close', server, inFlight, warmUpMs, windowMs: 2 * windowMs };
    return [{ script: 'connect', job, limitMs: warmUpMs + 2 * windowMs + loadOverheadMs }];
  },
};

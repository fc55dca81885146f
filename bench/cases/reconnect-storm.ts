import type { ReconnectStormJob } from '../load/reconnect-storm.js';
import type { BenchCase } from './bench-case.js';
import { barsOf } from './chart.js';

const peers = ['gatehouse', 'bare-ws', 'socket-io'];
/** A process may open 20,000 files. */
const full = { clients: 15_000, settleMs: 5_000, limitMs: 180_000 };
const quickly = { clients: 2_000, settleMs: 1_500, limitMs: 60_000 };
const longestTurn = 'longest turn of the event loop in ms';

export const reconnectStorm: BenchCase = {
  name: 'reconnect-storm',
  title: `${full.clients.toLocaleString('en')} clients that lost their connection come back at once, each with a fresh token, beside 50 that stayed`,
  unit: 'as named',
  peers,
  mostRuns: 3,
  watchesLoop: true,
  targets: [{ kind: 'bound', measure: longestTurn, atMost: 50 }],
  charts: [
    {
      kind: 'bars',
      file: 'reconnect-storm.svg',
      title: '15,000 clients come back at once',
      unit: 'seconds until all are connected',
      bars: barsOf('seconds until all are connected', peers),
    },
  ],
  loads: (server, { quick }) => {
    const extent = quick ? quickly : full;
    const job: ReconnectStormJob = { ...extent, server, honestClients: 50, messagesPerSecond: 10 };
    return [{ script: 'reconnect-storm', job, limitMs: 3 * extent.limitMs }];
  },
};

import type { EchoJob } from '../load/echo.js';
import type { Server } from '../load/job.js';
import { barsOf } from './chart.js';
import { loadOverheadMs, type BenchCase, type Extent, type Load } from './bench-case.js';

const connections = 50;
const text = 'a line of chat, 20 odd';

export interface EchoRequest {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly proof: string;
}

/** Both depths on one server: with more outstanding, several replies of a turn can leave in one write. */
export function echoLoads(server: Server, extent: Extent, request: EchoRequest): Load[] {
  return [1, 8].map((outstanding) => {
    const job: EchoJob = {
      ...request,
      measure: `${outstanding} outstanding`,
      server,
      connections,
      outstanding,
      warmUpMs: extent.warmUpMs,
      windowMs: extent.windowMs,
    };
    return { script: 'echo', job, limitMs: extent.warmUpMs + extent.windowMs + loadOverheadMs };
  });
}

export const echoRequest: EchoRequest = { type: 'echo', data: { text, n: 17 }, proof: text };

const peers = ['gatehouse', 'bare-ws', 'stock-nest', 'socket-io', 'bun'];

export const echo: BenchCase = {
  name: 'echo',
  title: `Echo of a 75-byte JSON message, ${connections} connections, everything on (authentication, limits, metrics)`,
  unit: 'processor µs per message',
  peers,
  targets: [
    { kind: 'ratio', measure: '1 outstanding', against: 'bare-ws', bound: 'atLeast', reach: 1 },
    { kind: 'ratio', measure: '8 outstanding', against: 'bare-ws', bound: 'atLeast', reach: 1.8 },
    { kind: 'ratio', measure: '1 outstanding', against: 'stock-nest', bound: 'atLeast', reach: 2 },
    { kind: 'ratio', measure: '8 outstanding', against: 'stock-nest', bound: 'atLeast', reach: 2 },
    { kind: 'ratio', measure: '1 outstanding', against: 'socket-io', bound: 'atLeast', reach: 2.5 },
    { kind: 'ratio', measure: '8 outstanding', against: 'socket-io', bound: 'atLeast', reach: 2.5 },
  ],
  charts: [
    {
      kind: 'bars',
      file: 'echo-1.svg',
      title: 'A request and its reply, one outstanding per connection',
      unit: 'processor µs per message',
      bars: barsOf('1 outstanding', peers),
    },
    {
      kind: 'bars',
      file: 'echo-8.svg',
      title: 'A request and its reply, eight outstanding per connection',
      unit: 'processor µs per message',
      bars: barsOf('8 outstanding', peers),
    },
  ],
  loads: (server, extent) => echoLoads(server, extent, echoRequest),
};

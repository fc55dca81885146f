import type { EchoJob } from '../load/echo.js';
import type { Server } from '../load/job.js';
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

export const echo: BenchCase = {
  name: 'echo',
  title: `Echo of a 75-byte JSON message, ${connections} connections, everything on (authentication, limits, metrics)`,
  unit: 'processor µs per message',
  peers: ['gatehouse', 'bare-ws', 'stock-nest', 'socket-io', 'bun'],
  targets: [
    { kind: 'ratio', measure: '1 outstanding', against: 'bare-ws', bound: 'atLeast', reach: 1 },
    { kind: 'ratio', measure: '8 outstanding', against: 'bare-ws', bound: 'atLeast', reach: 1.8 },
    { kind: 'ratio', measure: '1 outstanding', against: 'stock-nest', bound: 'atLeast', reach: 2 },
    { kind: 'ratio', measure: '8 outstanding', against: 'stock-nest', bound: 'atLeast', reach: 2 },
    { kind: 'ratio', measure: '1 outstanding', against: 'socket-io', bound: 'atLeast', reach: 2.5 },
    { kind: 'ratio', measure: '8 outstanding', against: 'socket-io', bound: 'atLeast', reach: 2.5 },
  ],
  loads: (server, extent) => echoLoads(server, extent, echoRequest),
};

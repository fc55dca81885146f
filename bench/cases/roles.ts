import type { BenchCase } from './bench-case.js';
import { echoLoads, echoRequest, type EchoRequest } from './echo.js';

/** Handled by bench/gatehouse-server.ts: role MEMBER, a validated message class, answered by `{ accepted: true }`. */
const post: EchoRequest = {
  type: 'bench.post',
  data: { room: 'lobby', text: 'a line of chat' },
  proof: 'bench.post_reply',
};

export const roles: BenchCase = {
  name: 'roles',
  title: 'A handler with @Roles and a validated message class, against an echo of bare ws that checks nothing',
  unit: 'processor µs per message',
  peers: ['gatehouse-roles', 'bare-ws'],
  targets: [
    { kind: 'ratio', measure: '1 outstanding', against: 'bare-ws', bound: 'atLeast', reach: 0.8 },
    { kind: 'ratio', measure: '8 outstanding', against: 'bare-ws', bound: 'atLeast', reach: 1.4 },
  ],
  loads: (server, extent) => echoLoads(server, extent, server.dialect === 'gatehouse' ? post : echoRequest),
};

import type { BenchCase } from './bench-case.js';
import { echoLoads, echoRequest } from './echo.js';

export const tracing: BenchCase = {
  name: 'tracing',
  title: 'The same echo with tracing on: no message recorded, and every one',
  unit: 'processor µs per message',
  peers: ['gatehouse', 'gatehouse-tracing-none', 'gatehouse-tracing-all'],
  comparedWith: 'gatehouse',
  targets: [],
  loads: (server, extent) => echoLoads(server, extent, echoRequest),
};

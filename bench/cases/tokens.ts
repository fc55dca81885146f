import type { BenchCase } from './bench-case.js';
import { connectLoad, inFlight } from './connect.js';

const measure = 'open and close';

export const tokens: BenchCase = {
  name: 'tokens',
  title: `Connections opened and closed, ${inFlight} in flight, by the algorithm of their tokens: HS256, RS256 (2,048 bits), ES256, and RS256 with a key from a JWKS`,
  unit: 'processor µs per connection',
  peers: ['gatehouse', 'gatehouse-rs256', 'gatehouse-es256', 'gatehouse-jwks'],
  comparedWith: 'gatehouse',
  targets: [],
  charts: [
    {
      kind: 'bars',
      file: 'tokens.svg',
      title: 'A connection, by the algorithm of its token',
      unit: 'processor µs per connection',
      bars: [
        { measure, peer: 'gatehouse', label: 'HS256' },
        { measure, peer: 'gatehouse-es256', label: 'ES256' },
        { measure, peer: 'gatehouse-rs256', label: 'RS256' },
        { measure, peer: 'gatehouse-jwks', label: 'RS256, JWKS' },
      ],
    },
  ],
  loads: (server, extent) => [connectLoad(measure, server, extent)],
};

import type { IdleNodeJob } from '../load/idle-node.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';

export const idleNode: BenchCase = {
  name: 'idle-node',
  title: 'What a publication costs a node on which nobody listens to its channel, 2,000 publications a second',
  unit: 'as named, beyond what the node does by itself',
  peers: ['gatehouse-redis', 'socket-io-redis'],
  nodes: 2,
  comparedWith: 'socket-io-redis',
  targets: [
    // Redis tells nothing to a node that has not subscribed; a byte is what its pulse and its report differ by.
    { kind: 'bound', measure: 'idle node, bytes received per publication', atMost: 1 },
    // Not zero: what it does by itself takes a little longer beside a busy neighbour on its core.
    {
      kind: 'ratio',
      measure: 'idle node, µs per publication',
      against: 'socket-io-redis',
      bound: 'atMost',
      reach: 0.1,
    },
  ],
  loads: (server, { warmUpMs, windowMs }) => {
    const job: IdleNodeJob = {
      server,
      channel: 'kept:busy',
      otherChannel: 'kept:quiet',
      publishers: 20,
      turnsPerSecond: 100,
      data: { text: 'a publication as a room or a ticker sends them all day long', n: 17 },
      warmUpMs,
      windowMs,
    };
    return [{ script: 'idle-node', job, limitMs: warmUpMs + 6 * windowMs + loadOverheadMs }];
  },
};

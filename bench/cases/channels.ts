import type { ChannelsJob } from '../load/channels.js';
import type { BenchCase } from './bench-case.js';

const full = { sessions: 1_000, channelsPerSession: 100, settleMs: 2_000, restMs: 5_000 };
const quickly = { sessions: 100, channelsPerSession: 100, settleMs: 600, restMs: 1_000 };

export const channels: BenchCase = {
  name: 'channels',
  title:
    '1,000 sessions, each in the same 100 channels and then in 100 of its own: 100,000 subscriptions, then 100,000 channels',
  unit: 'as named',
  peers: ['gatehouse', 'gatehouse-redis', 'socket-io'],
  mostRuns: 3,
  freshServers: true,
  comparedWith: 'socket-io',
  targets: [],
  loads: (server, { quick }) =>
    // Socket.IO's rooms have no history.
    (server.dialect === 'gatehouse' ? ['passing', 'kept'] : ['passing']).map((namespace) => {
      const kind = namespace === 'kept' ? 'history' : 'no history';
      const job: ChannelsJob = { ...(quick ? quickly : full), kind, server, namespace };
      return { script: 'channels', job, limitMs: 300_000 };
    }),
};

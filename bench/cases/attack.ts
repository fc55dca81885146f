import type { AttackJob } from '../load/attack.js';
import { loadOverheadMs, type BenchCase } from './bench-case.js';

/** ATTACK_SECONDS: how long the attack lasts; half an hour is 1800. */
const seconds = Number(process.env.ATTACK_SECONDS ?? 60);
const full = { quietMs: 10_000, attackMs: seconds * 1_000, settleMs: 6_000, clients: 100, messagesPerSecond: 20 };
const quickly = { ...full, quietMs: 4_000, attackMs: Math.min(seconds, 10) * 1_000, clients: 50 };

export const attack: BenchCase = {
  name: 'attack',
  title: 'Honest clients with an echo at a fixed rate, beside a mixed attack that brings the server to half a core',
  unit: 'as named',
  peers: ['gatehouse-attacked'],
  mostRuns: 1,
  targets: [
    { kind: 'bound', measure: 'honest errors, during', atMost: 0 },
    { kind: 'bound', measure: 'p99 echo in ms, during', atMost: 50 },
    { kind: 'bound', measure: 'server memory growth in MiB, after', atMost: 64 },
  ],
  loads(server, { quick }) {
    const job: AttackJob = { ...(quick ? quickly : full), server, share: 0.5 };
    return [{ script: 'attack', job, limitMs: job.quietMs * 2 + job.attackMs + job.settleMs + loadOverheadMs }];
  },
};

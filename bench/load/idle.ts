import { setTimeout as pause } from 'node:timers/promises';
import { residentBytes } from '../harness/processor-time.js';
import { countClosed, openConnections } from './connections.js';
import { runLoad, type LoadReport, type Server } from './job.js';

export interface IdleJob {
  readonly measure: string;
  readonly server: Server;
  readonly connections: number;
  readonly settleMs: number;
}

/** Open before the first reading and until the end: code, compiled functions and the first heap pages are no one's fault. */
const base = 500;

async function idle(job: IdleJob): Promise<LoadReport> {
  const first = await openConnections(job.server, base);
  const before = await bytesAfterCollection(job);
  const clients = await openConnections(job.server, job.connections);
  const after = await bytesAfterCollection(job);
  const closed = countClosed([...first, ...clients]);
  return {
    readings: [{ measure: job.measure, value: (after - before) / 1024 / job.connections }],
    remarks: [],
    invalid: closed > 0 ? `${closed} connections were closed` : null,
  };
}

/** Twice, because the first collection only queues what finalizers and weak references still hold. */
async function bytesAfterCollection({ server, settleMs }: IdleJob): Promise<number> {
  for (let round = 0; round < 2; round += 1) {
    await pause(settleMs / 2);
    process.kill(server.pid, 'SIGUSR2');
  }
  await pause(settleMs / 2);
  return residentBytes(server.pid);
}

await runLoad(idle);

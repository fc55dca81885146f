import { countClosed, openConnections } from './connections.js';
import { runLoad, type LoadReport, type Server } from './job.js';
import { bytesAfterCollection } from './memory.js';

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
  const before = await bytesAfterCollection(job.server, job.settleMs);
  const clients = await openConnections(job.server, job.connections);
  const after = await bytesAfterCollection(job.server, job.settleMs);
  const closed = countClosed([...first, ...clients]);
  return {
    readings: [{ measure: job.measure, value: (after - before) / 1024 / job.connections }],
    remarks: [],
    invalid: closed > 0 ? `${closed} connections were closed` : null,
  };
}

await runLoad(idle);

import { setTimeout as pause } from 'node:timers/promises';
import { startProcessorWindow } from '../harness/processor-time.js';
import { countClosed, openConnections } from './connections.js';
import { dialects } from './dialects.js';
import { clientFrame } from './frames.js';
import { runLoad, type LoadReport, type Server, type Timing } from './job.js';
import type { RawClient } from './raw-client.js';

export interface EchoJob extends Timing {
  readonly measure: string;
  readonly server: Server;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** What the reply must contain. */
  readonly proof: string;
  readonly connections: number;
  readonly outstanding: number;
}

const proofDeadlineMs = 5_000;

/** Every connection keeps `outstanding` requests under way: each reply is answered by the next request. */
async function echo(job: EchoJob): Promise<LoadReport> {
  const clients = await openConnections(job.server, job.connections);
  const batches = clients.map((_, index) => batchesOf(job, index));
  await Promise.all(clients.map((client, index) => proveReply(client, batches[index]?.[1], job.proof)));
  let replies = 0;
  let surplus = 0;
  clients.forEach((client, index) => {
    const own = batches[index] ?? [];
    client.onMessages = (count) => {
      replies += count;
      const next = own[count];
      if (next) client.send(next);
      else surplus += 1;
    };
    client.send(own[job.outstanding] ?? Buffer.alloc(0));
  });
  await pause(job.warmUpMs);
  const repliesBefore = replies;
  const endWindow = startProcessorWindow(job.server.pid);
  await pause(job.windowMs);
  const use = endWindow();
  const measured = replies - repliesBefore;
  return {
    readings: [
      {
        measure: job.measure,
        value: use.microseconds / measured,
        perSecond: (measured * 1_000) / use.elapsedMs,
        use,
      },
    ],
    remarks: [],
    invalid: complaint(clients, measured, surplus),
  };
}

/** `[k]` holds k requests in one buffer, so that k replies are answered by one write. */
function batchesOf(job: EchoJob, id: number): Buffer[] {
  const frame = clientFrame(dialects[job.server.dialect].message(job.type, id, job.data));
  return Array.from({ length: job.outstanding + 1 }, (_, count) => Buffer.concat(Array<Buffer>(count).fill(frame)));
}

/** A server that answers with errors would be a fast one: the first reply is read, all others must be as long. */
function proveReply(client: RawClient, request: Buffer | undefined, proof: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error('no reply to the first request')), proofDeadlineMs);
    client.frames.keepBodies = true;
    client.onBody = (body) => {
      clearTimeout(deadline);
      client.onBody = null;
      client.frames.keepBodies = false;
      client.frames.expectedLength = body.length;
      const text = body.toString();
      if (text.includes(proof)) resolve();
      else reject(new Error(`unexpected reply: ${text.slice(0, 200)}`));
    };
    client.send(request ?? Buffer.alloc(0));
  });
}

function complaint(clients: readonly RawClient[], measured: number, surplus: number): string | null {
  const closed = countClosed(clients);
  const odd = clients.reduce((sum, client) => sum + client.frames.oddMessages, 0);
  if (closed > 0) return `${closed} connections were closed`;
  if (odd > 0) return `${odd} replies differed from the first one`;
  if (surplus > 0) return 'more replies than requests';
  return measured > 0 ? null : 'no replies in the measured window';
}

await runLoad(echo);

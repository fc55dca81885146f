import { setTimeout as pause } from 'node:timers/promises';
import { residentBytes, startProcessorWindow, type ProcessorUse } from '../harness/processor-time.js';
import { percentile } from '../harness/statistics.js';
import { openConnections } from './connections.js';
import { DeliveryTimes } from './delivery-times.js';
import { dialects, messageFrame } from './dialects.js';
import { runLoad, type LoadReport, type Reading, type Server, type Timing } from './job.js';
import { Publisher, settled } from './publisher.js';
import type { RawClient } from './raw-client.js';

export interface StuckReaderJob extends Timing {
  readonly server: Server;
  readonly stuck: boolean;
  readonly subscribers: number;
  readonly publicationBytes: number;
  readonly turnsPerSecond: number;
}

const deliveryDeadlineMs = 10_000;

async function stuckReader(job: StuckReaderJob): Promise<LoadReport> {
  const clients = await openConnections(job.server, job.subscribers);
  const others = clients.slice(1);
  const [first, second] = clients;
  if (!first || !second) throw new Error('at least two subscribers are needed');
  const stuckOne = job.stuck ? first : null;
  const data = { text: 'x'.repeat(job.publicationBytes) };
  const publisher = new Publisher([second], messageFrame(dialects[job.server.dialect], 'broadcast', null, data), 1);
  const deliveries = new DeliveryTimes(others);
  const allArrived = (): Promise<boolean> =>
    settled(() => deliveries.count >= publisher.published * others.length, deliveryDeadlineMs);

  await publisher.publish(job.turnsPerSecond, job.warmUpMs, (publication) => deliveries.expect(publication));
  await allArrived();
  const before = await bytesAfterCollection(job.server);
  deliveries.forget();
  stuckOne?.pause();
  const endWindow = startProcessorWindow(job.server.pid);
  await publisher.publish(job.turnsPerSecond, job.windowMs, (publication) => deliveries.expect(publication));
  const complete = await allArrived();
  const use = endWindow();
  const after = await bytesAfterCollection(job.server);
  const remarks = stuckOne ? [await fateOf(stuckOne)] : [];
  return {
    readings: readingsOf(job, use, percentile(deliveries.milliseconds, 99), after - before),
    remarks,
    invalid: complete ? null : `${deliveries.count} of ${publisher.published * others.length} deliveries arrived`,
  };
}

function readingsOf(job: StuckReaderJob, use: ProcessorUse, p99: number, grown: number): Reading[] {
  const which = job.stuck ? 'one stuck' : 'all read';
  return [
    { measure: `p99 delivery in ms, ${which}`, value: p99, use },
    { measure: `server memory growth in MiB, ${which}`, value: Math.max(0, grown / 1024 / 1024) },
  ];
}

async function bytesAfterCollection({ pid }: Server): Promise<number> {
  for (let round = 0; round < 2; round += 1) {
    process.kill(pid, 'SIGUSR2');
    await pause(500);
  }
  return residentBytes(pid);
}

async function fateOf(stuckOne: RawClient): Promise<string> {
  stuckOne.resume();
  await settled(() => stuckOne.closed, 2_000);
  if (!stuckOne.closed) return 'the stuck reader was kept';
  return stuckOne.closeCode > 0
    ? `the stuck reader was closed with ${stuckOne.closeCode}`
    : 'the stuck reader was cut off';
}

await runLoad(stuckReader);

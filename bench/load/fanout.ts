import { startProcessorWindow, type ProcessorUse } from '../harness/processor-time.js';
import { countClosed, openConnections } from './connections.js';
import { runLoad, type LoadReport, type Server, type Timing } from './job.js';
import { Publisher, settled } from './publisher.js';

export interface FanoutJob extends Timing {
  readonly measure: string;
  readonly server: Server;
  readonly subscribers: number;
  readonly publicationsPerTurn: number;
  readonly data: Readonly<Record<string, unknown>>;
  /** Turns a second while the cost is not known yet: slow enough for the dearest peer. */
  readonly probeTurnsPerSecond: number;
}

/** Half a core: neither asleep, where wake-ups cost, nor in arrears, where turns run together. */
const wantedShare = 0.5;
const inArrears = 0.85;
/** Beyond this the generator's own core could not read everything in time. */
const fastestTurnsPerSecond = 50;
const deliveryDeadlineMs = 5_000;

async function fanout(job: FanoutJob): Promise<LoadReport> {
  const clients = await openConnections(job.server, job.subscribers + 1);
  let delivered = 0;
  for (const client of clients) client.onMessages = (count) => void (delivered += count);
  const [first] = clients;
  if (!first) throw new Error('no connection');
  const publisher = new Publisher(first, job.server, job.data, job.publicationsPerTurn);
  const allArrived = (): Promise<boolean> =>
    settled(() => delivered >= publisher.published * clients.length, deliveryDeadlineMs);
  const publishFor = async (turnsPerSecond: number, durationMs: number): Promise<Delivery> => {
    const deliveredBefore = delivered;
    const endWindow = startProcessorWindow(job.server.pid);
    await publisher.publish(turnsPerSecond, durationMs);
    await allArrived();
    const use = endWindow();
    return { ...use, deliveries: delivered - deliveredBefore };
  };

  await publishFor(job.probeTurnsPerSecond, job.warmUpMs);
  const probe = await publishFor(job.probeTurnsPerSecond, job.warmUpMs);
  const perTurn = (probe.microseconds / probe.deliveries) * clients.length * job.publicationsPerTurn;
  const turnsPerSecond = Math.min(fastestTurnsPerSecond, Math.max(2, (wantedShare * 1_000_000) / perTurn));
  const measured = await publishFor(turnsPerSecond, job.windowMs);

  const expected = publisher.published * clients.length;
  const closed = countClosed(clients);
  return {
    readings: [
      {
        measure: job.measure,
        value: measured.microseconds / measured.deliveries,
        perSecond: (measured.deliveries * 1_000) / measured.elapsedMs,
        use: measured,
      },
    ],
    remarks: measured.serverShare > inArrears ? ['the server was in arrears; turns may have run together'] : [],
    invalid:
      delivered === expected && closed === 0
        ? null
        : `${delivered} of ${expected} deliveries arrived, ${closed} connections were closed`,
  };
}

interface Delivery extends ProcessorUse {
  readonly deliveries: number;
}

await runLoad(fanout);

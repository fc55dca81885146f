import { processesOf, startProcessorWindow, type ProcessorUse } from '../harness/processor-time.js';
import { affordableTurns } from './affordable-turns.js';
import { countClosed, openConnections } from './connections.js';
import { dialects, messageFrame } from './dialects.js';
import { runLoad, type LoadReport, type Server, type Timing } from './job.js';
import { primaryReading } from './primary-reading.js';
import { Publisher, settled } from './publisher.js';
import type { RawClient } from './raw-client.js';

export interface FanoutJob extends Timing {
  readonly measure: string;
  readonly server: Server;
  readonly subscribers: number;
  readonly publicationsPerTurn: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly pace: Pace;
}

/** How many turns a second the publisher makes. */
export type Pace =
  | { readonly kind: 'fixed'; readonly turnsPerSecond: number }
  /** As many as make the server half busy. The probe is slow enough for the slowest peer. */
  | { readonly kind: 'half busy'; readonly probeTurnsPerSecond: number; readonly mostTurnsPerSecond?: number };

const inArrears = 0.85;
const deliveryDeadlineMs = 10_000;

async function fanout(job: FanoutJob): Promise<LoadReport> {
  const audience = new Audience(job, await openConnections(job.server, job.subscribers + 1));
  const turnsPerSecond = await paced(audience, job);
  const measured = await audience.publishFor(turnsPerSecond, job.windowMs);
  return {
    readings: [
      {
        measure: job.measure,
        value: measured.microseconds / measured.deliveries,
        perSecond: (measured.deliveries * 1_000) / measured.elapsedMs,
        use: measured,
      },
      ...primaryReading(
        `${job.measure}: primary, per publication`,
        measured,
        measured.deliveries / (job.subscribers + 1),
      ),
    ],
    remarks: measured.serverShare > inArrears ? ['the server was in arrears; turns may have run together'] : [],
    invalid: audience.complaint(),
  };
}

/** Warms the server up and says how many turns a second are measured. */
async function paced(audience: Audience, { pace, warmUpMs, subscribers, publicationsPerTurn }: FanoutJob) {
  if (pace.kind === 'fixed') {
    await audience.publishFor(pace.turnsPerSecond, warmUpMs);
    return pace.turnsPerSecond;
  }
  await audience.publishFor(pace.probeTurnsPerSecond, warmUpMs);
  const probe = await audience.publishFor(pace.probeTurnsPerSecond, warmUpMs);
  const affordable = affordableTurns(probe.microseconds / probe.deliveries, (subscribers + 1) * publicationsPerTurn);
  return Math.min(affordable, pace.mostTurnsPerSecond ?? affordable);
}

/** Everyone connected, of whom the first publishes; it gets its own publications too. */
class Audience {
  private delivered = 0;
  private readonly publisher: Publisher;

  constructor(
    private readonly job: FanoutJob,
    private readonly clients: readonly RawClient[],
  ) {
    const [first] = clients;
    if (!first) throw new Error('no connection');
    for (const client of clients) client.onMessages = (count) => void (this.delivered += count);
    const frame = messageFrame(dialects[job.server.dialect], 'broadcast', null, job.data);
    this.publisher = new Publisher([first], frame, job.publicationsPerTurn);
  }

  /** The window ends with the last delivery, so that all the time and all the deliveries belong together. */
  async publishFor(turnsPerSecond: number, durationMs: number): Promise<Delivery> {
    const deliveredBefore = this.delivered;
    const endWindow = startProcessorWindow(processesOf(this.job.server.pid));
    await this.publisher.publish(turnsPerSecond, durationMs);
    await settled(() => this.delivered >= this.expected(), deliveryDeadlineMs);
    return { ...endWindow(), deliveries: this.delivered - deliveredBefore };
  }

  complaint(): string | null {
    const closed = countClosed(this.clients);
    if (this.delivered === this.expected() && closed === 0) return null;
    return `${this.delivered} of ${this.expected()} deliveries arrived, ${closed} connections were closed`;
  }

  private expected(): number {
    return this.publisher.published * this.clients.length;
  }
}

interface Delivery extends ProcessorUse {
  readonly deliveries: number;
}

await runLoad(fanout);

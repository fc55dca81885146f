import { startProcessorWindow } from '../harness/processor-time.js';
import { countClosed, openConnections } from './connections.js';
import { runLoad, type LoadReport, type Reading, type Server } from './job.js';
import { bytesAfterCollection } from './memory.js';
import type { RawClient } from './raw-client.js';
import { subscribeAll, unsubscribeAll } from './subscribing.js';

export interface GrowthSubscriptionsJob {
  readonly server: Server;
  readonly namespace: string;
  readonly levels: readonly SubscriptionLevel[];
  readonly settleMs: number;
  /** How long subscriptions are made and ended at each level. */
  readonly windowMs: number;
}

export interface SubscriptionLevel {
  /** How many subscriptions exist at this level, each to a channel of its own. */
  readonly subscriptions: number;
  readonly timeMeasure: string;
  /** Null where so few subscriptions take less memory than the reading is wrong by. */
  readonly memoryMeasure: string | null;
}

/** The limit of a session in the settings of the benchmark. */
const channelsPerSession = 1_000;
/** What a session asks for at one time. */
const portion = 100;
const probers = 20;

async function growthSubscriptions(job: GrowthSubscriptionsJob): Promise<LoadReport> {
  const { server, levels, settleMs } = job;
  const most = levels.at(-1)?.subscriptions ?? 0;
  const keepers = await openConnections(server, Math.ceil(most / channelsPerSession));
  const probing = new Probing(job, await openConnections(server, probers));
  await probing.spend(job.windowMs);
  const empty = await bytesAfterCollection(server, settleMs);
  const readings: Reading[] = [];
  let existing = 0;
  for (const { subscriptions, timeMeasure, memoryMeasure } of levels) {
    await grow(job, keepers, { from: existing, to: subscriptions });
    existing = subscriptions;
    const grown = (await bytesAfterCollection(server, settleMs)) - empty;
    if (memoryMeasure !== null) readings.push({ measure: memoryMeasure, value: grown / subscriptions });
    readings.push({ measure: timeMeasure, ...(await probing.spend(job.windowMs)) });
  }
  const closed = countClosed(keepers);
  return { readings, remarks: [], invalid: closed > 0 ? `${closed} connections were closed` : null };
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Subscription n belongs to session n / 1,000; all sessions subscribe side by side, a portion at a time. */
async function grow({ server, namespace }: GrowthSubscriptionsJob, keepers: readonly RawClient[], { from, to }: Range) {
  for (let offset = 0; offset < channelsPerSession; offset += portion) {
    await subscribeAll(keepers, server.dialect, (session) =>
      Array.from({ length: portion }, (_, index) => session * channelsPerSession + offset + index)
        .filter((number) => number >= from && number < to)
        .map((number) => `${namespace}:own-${number}`),
    );
  }
}

/** Sessions that subscribe to channels of their own and leave them again, so that the level stays as it is. */
class Probing {
  constructor(
    private readonly job: GrowthSubscriptionsJob,
    private readonly clients: readonly RawClient[],
  ) {}

  async spend(windowMs: number): Promise<Omit<Reading, 'measure'>> {
    const { server, namespace } = this.job;
    const channelsOf = (client: number): string[] =>
      Array.from({ length: portion }, (_, index) => `${namespace}:probe-${client}-${index}`);
    const until = performance.now() + windowMs;
    const endWindow = startProcessorWindow(server.pid);
    let made = 0;
    do {
      await subscribeAll(this.clients, server.dialect, channelsOf);
      await unsubscribeAll(this.clients, server.dialect, channelsOf);
      made += this.clients.length * portion;
    } while (performance.now() < until);
    const use = endWindow();
    return { value: use.microseconds / made, perSecond: (made * 1_000) / use.elapsedMs, use };
  }
}

await runLoad(growthSubscriptions);

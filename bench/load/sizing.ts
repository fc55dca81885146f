import { setTimeout as pause } from 'node:timers/promises';
import { residentBytes, startProcessorWindow, type ProcessorUse } from '../harness/processor-time.js';
import { countClosed, openConnections } from './connections.js';
import { dialects, messageFrame } from './dialects.js';
import { clientFrame } from './frames.js';
import { runLoad, type LoadReport, type Reading, type Server } from './job.js';
import { bytesAfterCollection } from './memory.js';
import type { RawClient } from './raw-client.js';
import { channelWordsOf, subscribeAll } from './subscribing.js';

export interface SizingJob {
  readonly server: Server;
  readonly connections: number;
  /** In one channel together; each publication is so many deliveries. */
  readonly subscribersPerChannel: number;
  readonly namespace: string;
  readonly echoesPerSecond: number;
  readonly settleMs: number;
  /** How long each kind of use is looked at; with heartbeats in it, so not less than two of their intervals. */
  readonly windowMs: number;
}

const ticksPerSecond = 20;
const mib = 1024 * 1024;

/** What a node with many clients takes: first silent, then with requests, then in channels in which something happens. */
async function sizing(job: SizingJob): Promise<LoadReport> {
  const { server, connections, settleMs, windowMs } = job;
  const empty = await bytesAfterCollection(server, settleMs);
  const endOpening = startProcessorWindow(server.pid);
  const clients = await openConnections(server, connections);
  const opening = endOpening();
  const silent = await bytesAfterCollection(server, settleMs);
  const rest = await measured(server, () => pause(windowMs));
  const echoing = await measured(server, () => echo(clients, job));
  await subscribeAll(clients, server.dialect, (index) => [channelOf(index, job)]);
  const publishing = await measured(server, () => publish(clients, job));
  const closed = countClosed(clients);
  return {
    readings: [
      { measure: 'MiB resident, nobody connected', value: empty / mib },
      { measure: 'MiB resident, all connected and silent', value: silent / mib },
      { measure: 'MiB resident, after messages and channels', value: residentBytes(server.pid) / mib },
      {
        measure: 'ms of processor time to connect one',
        value: opening.microseconds / connections / 1_000,
        use: opening,
      },
      share('silent, heartbeats', rest),
      share(`${job.echoesPerSecond} echoes a second`, echoing),
      share(`${connections} deliveries a second, channels of ${job.subscribersPerChannel}`, publishing),
    ],
    remarks: [],
    invalid: closed > 0 ? `${closed} connections were closed` : null,
  };
}

function share(what: string, use: ProcessorUse): Reading {
  return { measure: `% of a core: ${what}`, value: use.serverShare * 100, use };
}

async function measured(server: Server, act: () => Promise<unknown>): Promise<ProcessorUse> {
  const endWindow = startProcessorWindow(server.pid);
  await act();
  return endWindow();
}

function channelOf(index: number, { namespace, subscribersPerChannel }: SizingJob): string {
  return `${namespace}:room-${Math.floor(index / subscribersPerChannel)}`;
}

async function echo(clients: readonly RawClient[], { server, echoesPerSecond, windowMs }: SizingJob): Promise<void> {
  const frame = messageFrame(dialects[server.dialect], 'echo', 1, { text: 'x'.repeat(32) });
  await inTurn(clients, { perSecond: echoesPerSecond, windowMs }, (client) => client.send(frame));
}

/** One publication a second in each channel, by one of its subscribers. */
async function publish(clients: readonly RawClient[], job: SizingJob): Promise<void> {
  const words = channelWordsOf(job.server.dialect);
  const speakers = clients
    .filter((_, index) => index % job.subscribersPerChannel === 0)
    .map((client, room) => {
      const name = channelOf(room * job.subscribersPerChannel, job);
      return { client, frame: clientFrame(words.publish(name, { text: 'x'.repeat(32) })) };
    });
  await inTurn(speakers, { perSecond: speakers.length, windowMs: job.windowMs }, ({ client, frame }) =>
    client.send(frame),
  );
}

/** Each gets its turn, evenly over the time. */
async function inTurn<T>(
  all: readonly T[],
  { perSecond, windowMs }: { readonly perSecond: number; readonly windowMs: number },
  act: (one: T) => void,
): Promise<void> {
  const started = performance.now();
  let done = 0;
  for (let tick = 1; tick <= (windowMs * ticksPerSecond) / 1_000; tick += 1) {
    for (const due = Math.floor((tick * perSecond) / ticksPerSecond); done < due; done += 1) {
      const one = all[done % all.length];
      if (one !== undefined) act(one);
    }
    await pause(Math.max(0, started + (tick * 1_000) / ticksPerSecond - performance.now()));
  }
}

await runLoad(sizing);

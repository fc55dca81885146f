import cluster from 'node:cluster';
import type { Settings } from '../config/settings.js';
import { ProcessChannel, type PrimaryChannel } from './lifecycle/primary-channel.js';
import { explain, greet, startInProcess } from './start-in-process.js';
import type { StopSignals } from './stop-signals.js';

interface WorkerRun {
  readonly signals: StopSignals;
  readonly settings: Settings;
  readonly fail: (error: unknown) => never;
}

/** Runs this process as one of several workers. Their primary decides when it ends. */
export async function runWorker({ signals, settings, fail }: WorkerRun): Promise<void> {
  const channel = new ProcessChannel();
  channel.listen((message) => {
    if (message.says === 'stop') signals.request(message.cause);
  });
  drainWithoutPrimary(signals);
  try {
    const server = await startInProcess({ signals, settings, fail, leave: () => release(channel) });
    channel.send({ says: 'ready', port: server.port });
    if (settings.workers.self?.greets) await greet(settings, server);
  } catch (error) {
    // The primary tells the operator.
    if (!process.connected) fail(error);
    process.send?.({ says: 'failed', reason: explain(error) }, undefined, undefined, () => process.exit(1));
  }
}

/**
 * Node's round robin may have handed a connection to this worker just before it closed. Refused, it goes to another worker;
 * if the process ended first, nobody would answer it.
 */
async function release(channel: PrimaryChannel): Promise<void> {
  if (!process.connected) return;
  const released = new Promise<void>((resolve) => {
    channel.listen(({ says }) => {
      if (says === 'released') resolve();
    });
    process.once('disconnect', resolve);
  });
  channel.send({ says: 'closed' });
  await released;
  // Behind the refusals.
  await new Promise<void>((resolve) => {
    if (!process.send?.({ says: 'alive', isReady: false }, undefined, undefined, () => resolve())) resolve();
  });
}

/**
 * Without its primary a worker gets no new clients, and the engine may be gone with it. It drains, so that its clients
 * find another server, or the next one here. By default node:cluster ends it at once.
 */
function drainWithoutPrimary(signals: StopSignals): void {
  const { worker } = cluster;
  worker?.once('disconnect', () => {
    worker.exitedAfterDisconnect = true;
    signals.request('the primary has ended');
  });
}

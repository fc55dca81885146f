import 'reflect-metadata';
import { configurationOfProcess } from '../config/environment.js';
import type { Settings } from '../config/settings.js';
import { explain, greet, startInProcess } from './start-in-process.js';
import type { StopSignals } from './stop-signals.js';

/** Starts the server of this process, and tells the operator the result. */
export async function run(signals: StopSignals): Promise<void> {
  await start(signals).catch(fail);
}

async function start(signals: StopSignals): Promise<void> {
  const { settings, warnings } = configurationOfProcess();
  const { self, count } = settings.workers;
  if (self !== undefined) return (await import('./run-worker.js')).runWorker({ signals, settings, fail });
  if (count > 1) return (await import('./run-primary.js')).runPrimary({ signals, settings, warnings, fail });
  await startAlone(signals, settings, warnings);
}

/** The server is this process and no other. */
async function startAlone(signals: StopSignals, settings: Settings, warnings: readonly string[]): Promise<void> {
  const server = await startInProcess({ signals, settings, fail });
  for (const warning of warnings) server.logger.warn(warning);
  await greet(settings, server);
}

function fail(error: unknown): never {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}

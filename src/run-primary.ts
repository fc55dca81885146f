import type { Settings } from '../config/settings.js';
import type { StopSignals } from './stop-signals.js';

interface PrimaryRun {
  readonly signals: StopSignals;
  readonly settings: Settings;
  readonly warnings: readonly string[];
  readonly fail: (error: unknown) => never;
}

/** Time beyond that of a drain for workers that have to be killed. */
const MARGIN_MS = 10_000;

/** Runs this process as the primary of several workers. */
export async function runPrimary({ signals, settings, warnings, fail }: PrimaryRun): Promise<void> {
  const { Primary } = await import('./supervision/primary.js');
  const primary = new Primary(settings, fail);
  const starting = primary.start();
  const stoppable = starting.then(() => primary);
  // A failed start is reported below.
  stoppable.catch(() => undefined);
  signals.follow({
    starting: stoppable,
    timeoutMs: settings.lifecycle.drainTimeoutMs + MARGIN_MS,
    fail,
    hangUp: () => void primary.roll(),
    abort: () => primary.kill(),
  });
  const port = await starting;
  for (const warning of warnings) primary.logger.warn(warning);
  const ready = primary.workers.filter(({ state }) => state === 'ready').length;
  const isComplete = ready === settings.workers.count;
  primary.logger.info({ port, workers: ready }, isComplete ? 'all workers listen' : 'some workers listen');
}

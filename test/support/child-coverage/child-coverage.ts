import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/** The folder in which processes that tests start write what V8 counted. Set only by `npm run test:coverage`. */
export const CHILD_COVERAGE = 'GATEHOUSE_TEST_CHILD_COVERAGE';

const FIRST_SIGNAL_MS = 5_000;
const SECOND_SIGNAL_MS = 5_000;

/** Whether the processes of this run are counted. */
export function countsChildren(): boolean {
  return process.env[CHILD_COVERAGE] !== undefined;
}

/** For the environment of a process that runs the compiled server. Its own children inherit it. */
export function childCoverage(): { readonly NODE_V8_COVERAGE?: string } {
  const folder = process.env[CHILD_COVERAGE];
  return folder === undefined ? {} : { NODE_V8_COVERAGE: folder };
}

/** A process that is killed writes nothing: it is asked twice, as an operator may, and killed if it does not end. */
export async function endCounted(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  for (const patience of [FIRST_SIGNAL_MS, SECOND_SIGNAL_MS]) {
    child.kill('SIGTERM');
    const timer = new AbortController();
    const late = pause(patience, true, { signal: timer.signal }).catch(() => false);
    const isLate = await Promise.race([ended.then(() => false), late]);
    timer.abort();
    if (!isLate) return;
  }
  child.kill('SIGKILL');
}

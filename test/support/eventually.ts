import { setTimeout as pause } from 'node:timers/promises';

/** What a starved process may need for what takes milliseconds otherwise. */
const WITHIN_MS = 120_000;

/** The real one, also where a test has stopped the clock. */
const now = performance.now.bind(performance);

/** Resolves as soon as the condition holds; fails with `what` when it does not within a time that no starved process needs. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = now() + WITHIN_MS;
  while (!(await holds())) {
    if (now() > deadline) throw new Error(`never came to pass: ${what}`);
    await pause(5);
  }
}

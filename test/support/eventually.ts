import { setTimeout as pause } from 'node:timers/promises';

/** What a starved process may need for what takes milliseconds otherwise. */
const WITHIN_MS = 120_000;
/** A look at this process costs nothing. */
const SHORTEST_PAUSE_MS = 5;
/** A question to a server costs both processes several milliseconds: asked every 5 ms, it took a whole core from what it waits for. */
const LONGEST_PAUSE_MS = 100;
const SLOWDOWN = 1.5;

/** The real one, also where a test has stopped the clock. */
const now = performance.now.bind(performance);

/**
 * Resolves as soon as the condition holds; fails with `what` when it does not within a time that no starved process needs. A
 * condition that has to ask somebody is asked less and less often.
 */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = now() + WITHIN_MS;
  for (let pauseMs = SHORTEST_PAUSE_MS; ;) {
    const held = holds();
    if (typeof held !== 'boolean') pauseMs = Math.min(SLOWDOWN * pauseMs, LONGEST_PAUSE_MS);
    if (await held) return;
    if (now() > deadline) throw new Error(`never came to pass: ${what}`);
    await pause(pauseMs);
  }
}

import { setTimeout as pause } from 'node:timers/promises';

/** Resolves as soon as the condition holds; fails with `what` when it does not within the time. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 5_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never came to pass: ${what}`);
    await pause(5);
  }
}

import { setTimeout as wait } from 'node:timers/promises';

const FIRST_MS = 500;
const MAX_MS = 10_000;

/** Resolves after this time, or when the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined);
}

/** How long to wait after this many failures in a row: up to 10 s, and not the same on every node. */
export function backoffMs(failures: number): number {
  const mostMs = Math.min(MAX_MS, FIRST_MS * 2 ** failures);
  return mostMs * (0.5 + Math.random() / 2);
}

export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

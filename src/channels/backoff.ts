import { setTimeout as wait } from 'node:timers/promises';

const FIRST_MS = 500;
const MAX_MS = 10_000;

/** Resolves after this time, or when the signal is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await wait(ms, undefined, signal && { signal }).catch(() => undefined);
}

/** How long to wait after this many failures in a row: 10 s at most. */
export function mostBackoffMs(failures: number, firstMs = FIRST_MS): number {
  return Math.min(MAX_MS, firstMs * 2 ** failures);
}

/** As above, but a random part of it, so that nodes do not come back all at once. */
export function backoffMs(failures: number, firstMs = FIRST_MS): number {
  return mostBackoffMs(failures, firstMs) * (0.5 + Math.random() / 2);
}

export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Resolves when the work is done or has failed, or after this time. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const isOver = new AbortController();
  await Promise.race([work.catch(() => undefined), pause(ms, isOver.signal)]);
  isOver.abort();
}

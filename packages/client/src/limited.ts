import type { Clock } from './environment.js';

/**
 * Calls code of the user that may take a while.
 *
 * @param abort ends the wait from outside, too
 * @returns what the code returns. Rejects with what it throws, and if it takes too long
 */
export function limited<T>(
  call: (signal: AbortSignal) => T | Promise<T>,
  abort: AbortController,
  { clock, ms }: { readonly clock: Clock; readonly ms: number },
): Promise<T> {
  const { signal } = abort;
  const timer = clock.setTimeout(() => abort.abort(new Error('timeout')), ms);
  const called = new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    (async () => call(signal))().then(resolve, reject);
  });
  return called.finally(() => clock.clearTimeout(timer));
}

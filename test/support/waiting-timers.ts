/**
 * Number of timeouts that the source file of this name has set since, and that still wait. `vi.getTimerCount()` counts
 * those of the whole process, and what other test files have left running sets some at any time.
 *
 * Call it after `vi.useFakeTimers()`; `vi.useRealTimers()` ends it.
 */
export function waitingTimersOf(sourceFile: string): () => number {
  const waiting = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  if (!('clock' in set)) throw new Error('the timers are not fake: nothing would put the real ones back');
  const watch = (run: () => void, ms?: number): ReturnType<typeof set> => {
    const timer = set(() => {
      waiting.delete(timer);
      run();
    }, ms);
    if (new Error().stack?.includes(`/${sourceFile}`) === true) waiting.add(timer);
    return timer;
  };
  const unwatch = (timer?: ReturnType<typeof set> | string | number): void => {
    waiting.delete(timer);
    clear(timer);
  };
  // With what the fake ones know of the real ones.
  globalThis.setTimeout = Object.assign(watch, set);
  globalThis.clearTimeout = Object.assign(unwatch, clear);
  return () => waiting.size;
}

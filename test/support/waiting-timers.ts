import { onTestFinished, vi } from 'vitest';

/**
 * Number of timeouts that the source file of this name has set since, and that still wait. `vi.getTimerCount()` counts
 * those of the whole process, and what other test files have left running sets some at any time. After
 * `vi.useFakeTimers()`.
 */
export function waitingTimersOf(sourceFile: string): () => number {
  const waiting = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const spies = [
    vi.spyOn(globalThis, 'setTimeout').mockImplementation((run: () => void, ms?: number) => {
      const timer = set(() => {
        waiting.delete(timer);
        run();
      }, ms);
      if (new Error().stack?.includes(`/${sourceFile}`) === true) waiting.add(timer);
      return timer;
    }),
    vi.spyOn(globalThis, 'clearTimeout').mockImplementation((timer) => {
      waiting.delete(timer);
      clear(timer);
    }),
  ];
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
  return () => waiting.size;
}

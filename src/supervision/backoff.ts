const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;

/** How long to wait before a worker is started again. @param failures in a row, at least 1 */
export function pauseAfter(failures: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
}

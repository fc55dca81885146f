import type { Scrape } from '../support/scrape.js';

/**
 * Of the mean. With reusePort the kernel takes a worker by a hash, which is within 1.2; node:cluster goes round, and leaves
 * out a worker that has not taken its last connection yet.
 */
export const BUSIEST = 1.5;

/** The sessions of each worker. */
export function sessionsOf(scrape: Scrape, count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    scrape.value(`gatehouse_sessions{protocol="v1.json",worker="${index + 1}"}`),
  );
}

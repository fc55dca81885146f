import { performance, type EventLoopUtilization as Sample } from 'node:perf_hooks';

/** Two scrapers that come at nearly the same time get the same value: over an instant it would be 0 or 1. */
const LEAST_PERIOD_MS = 1_000;

/** How busy the event loop is between two scrapes: near 1 it has no idle moment, and what comes waits. */
export class EventLoopUtilization {
  private from: Sample = performance.eventLoopUtilization();
  private latest: number | undefined;

  /** Between 0 and 1; over a second at least. */
  sinceLastRead(): number {
    const now = performance.eventLoopUtilization();
    const { idle, active, utilization } = performance.eventLoopUtilization(now, this.from);
    if (this.latest !== undefined && idle + active < LEAST_PERIOD_MS) return this.latest;
    this.from = now;
    this.latest = utilization;
    return utilization;
  }
}

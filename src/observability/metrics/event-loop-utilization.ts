import { performance, type EventLoopUtilization as Sample } from 'node:perf_hooks';

/** Two scrapes at nearly the same time get the same value, because over an instant it would be 0 or 1. */
const LEAST_PERIOD_MS = 1_000;

/** How busy the event loop is between two scrapes. Near 1 it is never idle, and new work waits. */
export class EventLoopUtilization {
  private from: Sample = performance.eventLoopUtilization();
  private latest: number | undefined;

  /** Between 0 and 1, over at least a second. */
  sinceLastRead(): number {
    const now = performance.eventLoopUtilization();
    const { idle, active, utilization } = performance.eventLoopUtilization(now, this.from);
    if (this.latest !== undefined && idle + active < LEAST_PERIOD_MS) return this.latest;
    this.from = now;
    this.latest = utilization;
    return utilization;
  }
}

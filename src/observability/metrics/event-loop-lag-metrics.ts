import { Gauge } from 'prom-client';
import type { RecordableHistogram } from 'node:perf_hooks';
import type { LoadMeter } from '../../lifecycle/load-meter.js';

/** The event-loop lag when it was last asked for, and how late the loop was between two scrapes. */
const SINCE_LAST_SCRAPE: Readonly<
  Record<string, readonly [help: string, read: (delays: RecordableHistogram) => number]>
> = {
  min: ['The shortest delay of the event loop since the last scrape.', ({ min }) => min],
  max: ['The longest delay of the event loop since the last scrape.', ({ max }) => max],
  mean: ['The mean delay of the event loop since the last scrape.', ({ mean }) => mean],
  stddev: ['The standard deviation of delays of the event loop since the last scrape.', ({ stddev }) => stddev],
  p50: ['The median delay of the event loop since the last scrape.', (delays) => delays.percentile(50)],
  p90: ['The 90th percentile of delays of the event loop since the last scrape.', (delays) => delays.percentile(90)],
  p99: ['The 99th percentile of delays of the event loop since the last scrape.', (delays) => delays.percentile(99)],
};
const LAG = 'nodejs_eventloop_lag_seconds';

/** The names that prom-client has for these metrics. Its own histogram wakes an idle process 100 times a second. */
export const EVENT_LOOP_LAG_METRICS = [LAG, ...Object.keys(SINCE_LAST_SCRAPE).map(nameOf)];

/** What measures the event loop. */
type Meter = Pick<LoadMeter, 'lagMs' | 'eventLoopDelays'>;

/** @returns metrics of what the load meter measures anyway. They must be scraped together */
export function eventLoopLagMetrics(meter: Meter): readonly Gauge[] {
  const summary = Object.entries(SINCE_LAST_SCRAPE).map(([what, [help, read]]) => {
    const gauge = new Gauge({ name: nameOf(what), help, registers: [] });
    return { gauge, read };
  });
  const lag = new Gauge({
    name: LAG,
    help: 'The event-loop lag of the last half second.',
    registers: [],
    // The first metric of a scrape reads for all, because then the next period begins.
    collect() {
      this.set(meter.lagMs / 1e3);
      const delays = meter.eventLoopDelays;
      if (delays.count === 0) return;
      for (const { gauge, read } of summary) gauge.set(read(delays) / 1e9);
      delays.reset();
    },
  });
  return [lag, ...summary.map(({ gauge }) => gauge)];
}

function nameOf(what: string): string {
  return `nodejs_eventloop_lag_${what}_seconds`;
}

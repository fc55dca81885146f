import { collectDefaultMetrics, type Registry } from 'prom-client';
import { EVENT_LOOP_LAG_METRICS } from './event-loop-lag-metrics.js';

/** In milliseconds, as far as a timer can wait: its metrics are not used. */
const NEVER = 2 ** 31 - 1;

/** prom-client's metrics of the process, without its event-loop lag, which wakes an idle process 100 times a second. */
export function collectProcessMetrics(register: Registry): void {
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: NEVER });
  for (const name of EVENT_LOOP_LAG_METRICS) register.removeSingleMetric(name);
}

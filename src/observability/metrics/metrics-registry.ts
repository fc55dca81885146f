import type { FactoryProvider, Provider } from '@nestjs/common';
import { Registry, type Metric } from 'prom-client';
import { LoadMeter } from '../../lifecycle/load-meter.js';
import { eventLoopLagMetrics } from './event-loop-lag-metrics.js';
import { collectProcessMetrics } from './process-metrics.js';

/**
 * Default metrics that list all sockets at every scrape: 0.2 s for 100,000 sockets, in which nothing else happens.
 * Sessions, other TCP connections and file descriptors have metrics of their own.
 */
const TOO_EXPENSIVE = ['handles', 'resources'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
]);

let processMetrics: readonly Metric[] | undefined;

/** Collected once for the process; each application in it shows the same values. */
function metricsOfProcess(): readonly Metric[] {
  if (processMetrics === undefined) {
    const registry = new Registry();
    collectProcessMetrics(registry);
    for (const name of TOO_EXPENSIVE) registry.removeSingleMetric(name);
    // The type promises plain objects, but they are the metrics themselves.
    processMetrics = registry.getMetricsAsArray() as unknown as readonly Metric[];
  }
  return processMetrics;
}

/**
 * The registry of one application: its own metrics, and those of the process. prom-client's default registry belongs to
 * the host application, and two applications in one process must not share counts.
 *
 * @param metrics providers of metrics, which are created with `registers: []`
 */
export function registryOf(metrics: readonly Provider[]): FactoryProvider<Registry> {
  return {
    provide: Registry,
    inject: [LoadMeter, ...metrics.map((metric) => (typeof metric === 'function' ? metric : metric.provide))],
    useFactory: (meter: LoadMeter, ...own: Metric[]) => {
      const registry = new Registry();
      for (const metric of [...metricsOfProcess(), ...eventLoopLagMetrics(meter), ...own])
        registry.registerMetric(metric);
      return registry;
    },
  };
}

import { Registry } from 'prom-client';
import type { EngineHost } from '../cluster/remote/engine-host.js';
import { WORKER_STATES, type MetricsOfProcess, type WorkerStatus } from '../lifecycle/worker-messages.js';
import { eventLoopLagMetrics } from '../observability/metrics/event-loop-lag-metrics.js';
import { collectProcessMetrics } from '../observability/metrics/process-metrics.js';
import { pulledCounter, pulledGauge, pulledGauges } from '../observability/metrics/pulled-metric.js';
import { PrimaryLoad } from './primary-load.js';
import type { Supervisor } from './supervisor.js';

/** docs/workers.md lists these names; a test compares. */
export const WORKER_METRIC = {
  workers: 'gatehouse_workers',
  workerFailures: 'gatehouse_worker_failures_total',
  workerOverruns: 'gatehouse_worker_overruns_total',
  workerQueueBytes: 'gatehouse_worker_queue_bytes',
} as const;

/** Metrics that only the primary knows, and those of its process. */
export class PrimaryMetrics {
  private readonly registry = new Registry();
  private readonly load = new PrimaryLoad();

  constructor(supervisor: Supervisor, engine: EngineHost | undefined) {
    collectProcessMetrics(this.registry);
    const states = { name: WORKER_METRIC.workers, help: 'Workers by state', label: 'state' };
    const metrics = [
      pulledGauges(states, () => countByState(supervisor.workers)),
      pulledCounter(
        WORKER_METRIC.workerFailures,
        'Workers that ended without being asked to',
        () => supervisor.failures,
      ),
      ...eventLoopLagMetrics(this.load),
      ...(engine === undefined ? [] : engineMetrics(engine)),
    ];
    for (const metric of metrics) this.registry.registerMetric(metric);
  }

  read(): Promise<MetricsOfProcess> {
    return this.registry.getMetricsAsJSON();
  }
}

function countByState(workers: readonly WorkerStatus[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(WORKER_STATES.map((state) => [state, 0]));
  for (const { state } of workers) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

function engineMetrics(engine: EngineHost) {
  let overruns = 0;
  engine.on('overrun', () => (overruns += 1));
  const help = 'Connections to workers that were cut because they read too slowly';
  return [
    pulledCounter(WORKER_METRIC.workerOverruns, help, () => overruns),
    pulledGauge(
      WORKER_METRIC.workerQueueBytes,
      'Bytes in the primary that workers have not read',
      () => engine.waitingBytes,
    ),
  ];
}

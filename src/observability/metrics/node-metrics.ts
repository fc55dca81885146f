import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { Gauge } from 'prom-client';
import { VERSION } from '../../../config/version.js';
import { Drain } from '../../lifecycle/drain.js';
import { PHASES, ServerState } from '../../lifecycle/server-state.js';
import { SPAN_LOSSES, Tracing } from '../tracing/tracing.js';
import { EventLoopUtilization } from './event-loop-utilization.js';
import { METRIC } from './metrics.js';
import { pulledCounters, pulledGauge, pulledGauges } from './pulled-metric.js';

const NO_SPANS_LOST = SPAN_LOSSES.map((reason) => [reason, 0] as const);

/** This process: version, state and load, and the spans that it lost. Processor and memory are metrics of prom-client. */
export const nodeMetrics: Provider[] = [
  {
    provide: getToken(METRIC.nodeState),
    inject: [ServerState],
    useFactory: (state: ServerState) =>
      pulledGauges(
        { name: METRIC.nodeState, help: '1 for the state of the node, 0 for the other states', label: 'state' },
        // A stopped server is not scraped.
        () => PHASES.filter((phase) => phase !== 'stopped').map((phase) => [phase, Number(phase === state.phase)]),
      ),
  },
  {
    provide: getToken(METRIC.drainLeaving),
    inject: [Drain],
    useFactory: (drain: Drain) =>
      pulledGauge(
        METRIC.drainLeaving,
        'Sessions that were open when the drain began; 0 before a drain',
        () => drain.progress?.leaving ?? 0,
      ),
  },
  {
    provide: getToken(METRIC.drainRemaining),
    inject: [Drain],
    useFactory: (drain: Drain) =>
      pulledGauge(
        METRIC.drainRemaining,
        'Sessions that the drain has not closed yet; 0 before a drain',
        () => drain.progress?.remaining ?? 0,
      ),
  },
  {
    provide: getToken(METRIC.eventLoopUtilization),
    useFactory: () => {
      const utilization = new EventLoopUtilization();
      return pulledGauge(METRIC.eventLoopUtilization, 'Share of time in which the event loop was busy', () =>
        utilization.sinceLastRead(),
      );
    },
  },
  {
    provide: getToken(METRIC.spansDropped),
    inject: [{ token: Tracing, optional: true }],
    useFactory: (tracing: Tracing | undefined) =>
      pulledCounters(
        { name: METRIC.spansDropped, help: 'Spans that reached no collector, by reason', label: 'reason' },
        () => tracing?.dropped ?? NO_SPANS_LOST,
      ),
  },
  { provide: getToken(METRIC.buildInfo), useFactory: buildInfo },
];

function buildInfo(): Gauge {
  const gauge = new Gauge({
    name: METRIC.buildInfo,
    help: 'Always 1; the labels name the version',
    labelNames: ['version', 'node_version'],
    registers: [],
  });
  gauge.set({ version: VERSION, node_version: process.version }, 1);
  return gauge;
}

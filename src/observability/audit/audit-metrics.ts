import type { Provider } from '@nestjs/common';
import { makeCounterProvider, makeGaugeProvider } from '@willsoto/nestjs-prometheus';
import { AUDIT_GROUPS } from './audit-catalogue.js';
import { countersFor } from '../metrics/event-metric.js';
import { METRIC } from '../metrics/metrics.js';

/** Metrics of the audit log and of anomalies. */
export const auditMetricProviders: Provider[] = [
  makeCounterProvider({
    registers: [],
    name: METRIC.auditFailures,
    help: 'Failed writes to the audit log',
  }),
  makeCounterProvider({
    registers: [],
    name: METRIC.auditLost,
    help: 'Audit lines lost because the disk refused writes and the buffer was full',
  }),
  countersFor(
    {
      name: METRIC.auditLeftOut,
      help: 'Audit lines omitted because their source caused too many, by group',
      label: 'group',
    },
    AUDIT_GROUPS,
  ),
  makeGaugeProvider({
    registers: [],
    name: METRIC.anomalyActive,
    help: '1 while an anomaly lasts, otherwise 0, by kind',
    labelNames: ['kind'],
  }),
  makeCounterProvider({
    registers: [],
    name: METRIC.anomalies,
    help: 'Anomalies that began, by kind',
    labelNames: ['kind'],
  }),
];

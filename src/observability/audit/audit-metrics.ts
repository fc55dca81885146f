import type { Provider } from '@nestjs/common';
import { makeCounterProvider, makeGaugeProvider } from '@willsoto/nestjs-prometheus';
import { AUDIT_GROUPS } from './audit-catalogue.js';
import { countersFor } from '../metrics/event-metric.js';
import { METRIC } from '../metrics/metrics.js';

/** Of the audit log and of the anomalies. */
export const auditMetricProviders: Provider[] = [
  makeCounterProvider({
    registers: [],
    name: METRIC.auditFailures,
    help: 'Writes of the audit log that the disk refused',
  }),
  makeCounterProvider({
    registers: [],
    name: METRIC.auditLost,
    help: 'Audit lines that were lost, for the disk did not take them and too many waited',
  }),
  countersFor(
    {
      name: METRIC.auditLeftOut,
      help: 'Audit lines left out, for their sources caused too many, by group',
      label: 'group',
    },
    AUDIT_GROUPS,
  ),
  makeGaugeProvider({
    registers: [],
    name: METRIC.anomalyActive,
    help: 'Whether something is out of the ordinary at the moment, by kind',
    labelNames: ['kind'],
  }),
  makeCounterProvider({
    registers: [],
    name: METRIC.anomalies,
    help: 'How often something was out of the ordinary, by kind',
    labelNames: ['kind'],
  }),
];

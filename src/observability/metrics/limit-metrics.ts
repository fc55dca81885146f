import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import type { Settings } from '../../../config/settings.js';
import { heapLimitBytes, memoryLimitBytes } from '../../lifecycle/heap.js';
import { METRIC } from './metrics.js';
import { pulledGauge } from './pulled-metric.js';

/** What the settings and the machine allow, so that an alert can say “nearly full” whatever they are. Absent: no limit. */
export function limitMetrics({ connections, upgrade, outbound, inbound }: Settings): Provider[] {
  return [
    limit(METRIC.maxConnections, 'Sessions that this node may have', connections.max),
    limit(
      METRIC.maxHttpConnections,
      'TCP connections that are no session, as many as there may be',
      upgrade.maxWaiting,
    ),
    limit(METRIC.outboundBudget, 'Bytes that may wait for slow readers', outbound.budgetBytes),
    limit(METRIC.inboundBudget, 'Bytes of incomplete messages that there may be', inbound.budgetBytes),
    limit(METRIC.heapLimit, 'Heap beyond which the process ends', heapLimitBytes()),
    limit(METRIC.memoryLimit, 'Memory of the container or machine', memoryLimitBytes()),
  ];
}

/** @param value zero: there is none */
function limit(name: string, help: string, value: number): Provider {
  return { provide: getToken(name), useFactory: () => pulledGauge(name, help, () => value || undefined) };
}

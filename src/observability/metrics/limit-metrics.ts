import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import type { Settings } from '../../../config/settings.js';
import { heapLimitBytes, memoryLimitBytes } from '../../lifecycle/heap.js';
import { METRIC } from './metrics.js';
import { pulledGauge } from './pulled-metric.js';

/**
 * Limits from settings and the machine, so that an alert can say “nearly full” for any configuration. Absent: no limit.
 */
export function limitMetrics({ connections, upgrade, outbound, inbound }: Settings): Provider[] {
  return [
    limit(METRIC.maxConnections, 'Maximum number of sessions of this node', connections.max),
    limit(METRIC.maxHttpConnections, 'Maximum number of TCP connections without a session', upgrade.maxWaiting),
    limit(METRIC.outboundBudget, 'Maximum number of bytes that wait for slow readers', outbound.budgetBytes),
    limit(METRIC.inboundBudget, 'Maximum number of bytes of incomplete messages', inbound.budgetBytes),
    limit(METRIC.heapLimit, 'Heap limit of V8; the process ends when the heap is full', heapLimitBytes()),
    limit(METRIC.memoryLimit, 'Memory of the container or machine', memoryLimitBytes()),
  ];
}

/** @param value 0 means no limit */
function limit(name: string, help: string, value: number): Provider {
  return { provide: getToken(name), useFactory: () => pulledGauge(name, help, () => value || undefined) };
}

import type { Provider } from '@nestjs/common';
import { countersFor } from '../metrics/event-metric.js';
import { METRIC } from '../metrics/metrics.js';

const CAUSES = ['operator', 'automatic'] as const;
const REFUSALS = ['under_way', 'too_soon', 'memory', 'disk', 'files', 'unwritable'] as const;

export type SnapshotCause = (typeof CAUSES)[number];
export type SnapshotRefusal = (typeof REFUSALS)[number];

export const heapMetrics: Provider[] = [
  countersFor({ name: METRIC.heapSnapshots, help: 'Heap snapshots written, by cause', label: 'cause' }, CAUSES),
  countersFor(
    { name: METRIC.heapSnapshotsRefused, help: 'Heap snapshots refused, by reason', label: 'reason' },
    REFUSALS,
  ),
];

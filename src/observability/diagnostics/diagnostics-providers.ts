import type { Provider } from '@nestjs/common';
import { writeHeapSnapshot } from 'node:v8';
import type { Settings } from '../../../config/settings.js';
import { ClientQueues } from './client-queues.js';
import { DeepLook } from './deep-look.js';
import { HandlerReport } from './handler-report.js';
import { HeapSnapshots, SnapshotWriter } from './heap-snapshots.js';
import { HeapWatch } from './heap-watch.js';
import { NodeDiagnostics } from './node-diagnostics.js';
import { ProcessReport } from './process-report.js';
import { Profiles } from './profiles.js';
import { QueueReport } from './queue-report.js';
import { SlowCalls } from './slow-calls.js';
import { SnapshotRecord } from './snapshot-record.js';

/** Whether diagnostics can be requested. */
export function isDiagnosable({ api, diagnostics }: Settings): boolean {
  return api.enabled === 'on' && diagnostics.enabled === 'on';
}

/** The providers of diagnostics that the settings require. */
export function diagnosticsProviders(settings: Settings): Provider[] {
  const { diagnostics } = settings;
  return [
    { provide: SnapshotWriter, useValue: { write: writeHeapSnapshot } },
    DeepLook,
    SnapshotRecord,
    HeapSnapshots,
    ...(diagnostics.heapSnapshotPercent > 0 ? [HeapWatch] : []),
    ...(isDiagnosable(settings)
      ? [ClientQueues, HandlerReport, NodeDiagnostics, ProcessReport, Profiles, QueueReport, SlowCalls]
      : []),
  ];
}

import { Injectable } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import type { Counter } from 'prom-client';
import { Logs } from '../logs/logs.js';
import { METRIC } from '../metrics/metrics.js';
import type { SnapshotCause, SnapshotRefusal } from './heap-metrics.js';

/** Facts about one snapshot. */
interface Facts {
  readonly cause: SnapshotCause;
  /** Its final path, if it stays. */
  readonly file: string | undefined;
}

/** Reports heap snapshots to log and metrics. */
@Injectable()
export class SnapshotRecord {
  constructor(
    @InjectMetric(METRIC.heapSnapshots) private readonly taken: Counter,
    @InjectMetric(METRIC.heapSnapshotsRefused) private readonly refusals: Counter,
    private readonly logs: Logs,
  ) {}

  begun({ cause, file }: Facts, heapBytes: number): void {
    this.logs.write('heap_snapshot_begun', () => ({ cause, heapBytes, file }));
  }

  written({ cause, file }: Facts, { bytes, heldUpMs }: { bytes: number; heldUpMs: number }): void {
    this.taken.inc({ cause });
    this.logs.write('heap_snapshot_written', () => ({ cause, bytes, heldUpMs: Math.round(heldUpMs), file }));
  }

  refused(reason: SnapshotRefusal): void {
    this.refusals.inc({ reason });
  }

  /** A snapshot that nobody requested was refused, or failed. */
  missed(why: string): void {
    this.logs.write('heap_snapshot_refused', () => ({ why }));
  }
}

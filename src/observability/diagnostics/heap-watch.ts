import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { heapUse } from '../../lifecycle/heap.js';
import { LoadMeter } from '../../lifecycle/load-meter.js';
import { DiagnosticsRefusal } from './diagnostics-refusal.js';
import { HeapSnapshots } from './heap-snapshots.js';
import { SnapshotRecord } from './snapshot-record.js';

/**
 * Writes a heap snapshot when memory crosses a threshold, once in the life of the process. A second one would stop a
 * node that is already in trouble.
 */
@Injectable()
export class HeapWatch implements OnModuleInit {
  private isDone = false;

  constructor(
    @Inject(Settings) private readonly settings: Pick<Settings, 'diagnostics'>,
    private readonly registry: NodeRegistry,
    private readonly record: SnapshotRecord,
    private readonly meter: LoadMeter,
    private readonly snapshots: HeapSnapshots,
  ) {}

  onModuleInit(): void {
    this.meter.on('measured', () => {
      if (this.isDone || heapUse().percent < this.settings.diagnostics.heapSnapshotPercent) return;
      this.isDone = true;
      void this.keep();
    });
  }

  private async keep(): Promise<void> {
    try {
      await this.snapshots.keep(this.registry.self.nodeId, this.settings.diagnostics.folder ?? '');
    } catch (error) {
      // Another snapshot or profile is in progress: the next measurement is as good.
      if (error instanceof DiagnosticsRefusal && error.reason === 'under_way') this.isDone = false;
      else this.record.missed((error as Error).message);
    }
  }
}

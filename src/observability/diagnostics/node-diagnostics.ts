import { Injectable } from '@nestjs/common';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import type { HandlersAnswer, SummaryAnswer } from './diagnostics.answers.js';
import type { QueuesAnswer } from './queues.answer.js';
import type { Download } from './download.js';
import { HandlerReport } from './handler-report.js';
import { HeapSnapshots } from './heap-snapshots.js';
import { ProcessReport } from './process-report.js';
import { Profiles, type ProfileKind } from './profiles.js';
import { QueueReport } from './queue-report.js';

/** The diagnostics of this node for the server API. */
@Injectable()
export class NodeDiagnostics {
  constructor(
    private readonly registry: NodeRegistry,
    private readonly process: ProcessReport,
    private readonly handlerTimes: HandlerReport,
    private readonly backlogs: QueueReport,
    private readonly snapshots: HeapSnapshots,
    private readonly profiles: Profiles,
  ) {}

  summary(): Promise<SummaryAnswer> {
    return this.process.read();
  }

  /** @param limit number of entries of each kind */
  handlers(limit: number): HandlersAnswer {
    return this.handlerTimes.read(limit);
  }

  queues(limit: number): Promise<QueuesAnswer> {
    return this.backlogs.read(limit);
  }

  /** @throws DiagnosticsRefusal */
  heapSnapshot(): Promise<Download> {
    return this.snapshots.take(this.registry.self.nodeId);
  }

  /**
   * @param gone aborted when nobody waits for it any more
   * @throws DiagnosticsRefusal `under_way`
   */
  profile(kind: ProfileKind, seconds: number, gone: AbortSignal): Promise<Download> {
    return this.profiles.take(kind, { nodeId: this.registry.self.nodeId, seconds }, gone);
  }
}

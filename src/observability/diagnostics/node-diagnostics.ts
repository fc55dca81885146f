import { Injectable, type OnModuleInit } from '@nestjs/common';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import type { HandlersAnswer, SummaryAnswer } from '../../server-api/diagnostics/diagnostics.answers.js';
import {
  ClusterDiagnostics,
  type Diagnostics,
  type Download,
  type ProfileKind,
} from '../../server-api/diagnostics/cluster-diagnostics.js';
import type { QueuesAnswer } from '../../server-api/diagnostics/queues.answer.js';
import { HandlerReport } from './handler-report.js';
import { HeapSnapshots } from './heap-snapshots.js';
import { ProcessReport } from './process-report.js';
import { Profiles } from './profiles.js';
import { QueueReport } from './queue-report.js';

/** What the server API hands out about this node. */
@Injectable()
export class NodeDiagnostics implements Diagnostics, OnModuleInit {
  constructor(
    private readonly registry: NodeRegistry,
    private readonly desk: ClusterDiagnostics,
    private readonly process: ProcessReport,
    private readonly handlerTimes: HandlerReport,
    private readonly backlogs: QueueReport,
    private readonly snapshots: HeapSnapshots,
    private readonly profiles: Profiles,
  ) {}

  onModuleInit(): void {
    this.desk.serveBy(this);
  }

  summary(): Promise<SummaryAnswer> {
    return this.process.read();
  }

  handlers(limit: number): HandlersAnswer {
    return this.handlerTimes.read(limit);
  }

  queues(limit: number): Promise<QueuesAnswer> {
    return this.backlogs.read(limit);
  }

  heapSnapshot(): Promise<Download> {
    return this.snapshots.take(this.registry.self.nodeId);
  }

  profile(kind: ProfileKind, seconds: number, gone: AbortSignal): Promise<Download> {
    return this.profiles.take(kind, { nodeId: this.registry.self.nodeId, seconds }, gone);
  }
}

import { Inject, Injectable, Optional } from '@nestjs/common';
import { ChannelHub } from '../../channels/channel-hub.js';
import { ClusterEngine } from '../../cluster/ports/cluster-engine.js';
import type { QueuesAnswer } from './queues.answer.js';
import { AuditLog } from '../audit/audit-log.js';
import { LogOutput } from '../logs/log-output.js';
import { ClientQueues } from './client-queues.js';
import { rounded } from './rounded.js';

/** What waits, and for which clients. */
@Injectable()
export class QueueReport {
  constructor(
    private readonly clients: ClientQueues,
    private readonly hub: ChannelHub,
    private readonly cluster: ClusterEngine,
    private readonly logs: LogOutput,
    @Optional() @Inject(AuditLog) private readonly audit: AuditLog | undefined,
  ) {}

  async read(limit: number): Promise<QueuesAnswer> {
    const beganAt = performance.now();
    return {
      ...(await this.clients.read(limit)),
      channels: this.hub.backlog,
      cluster: this.cluster.backlog,
      files: { logBytes: this.logs.waitingBytes, auditBytes: this.audit?.waitingBytes ?? 0 },
      tookMs: rounded(performance.now() - beganAt),
    };
  }
}

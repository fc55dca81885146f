import { Injectable } from '@nestjs/common';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { AuditTail, type AuditCause, type AuditLine } from '../../observability/audit/audit-tail.js';
import type { AuditAnswer, AuditLineAnswer } from './audit.requests.js';

interface Question {
  readonly limit: number;
  readonly cause?: AuditCause;
}

const KIND = 'audit-tail';

/** The newest audit lines of all nodes. */
@Injectable()
export class ClusterAudit {
  constructor(
    private readonly bus: NodeBus,
    private readonly registry: NodeRegistry,
    private readonly tail: AuditTail,
  ) {
    bus.handle(KIND, (payload) => this.here(payload as Question));
  }

  async newest(question: Question): Promise<AuditAnswer> {
    const { received, missing } = await this.bus.ask<readonly AuditLine[]>(KIND, { ...question });
    const all = [[this.registry.self.nodeId, this.here(question)] as const, ...received];
    const lines = all.flatMap(([nodeId, own]) => own.map((line): AuditLineAnswer => ({ nodeId, ...line })));
    return { lines: lines.sort((left, right) => right.at - left.at).slice(0, question.limit), missing };
  }

  private here({ limit, cause }: Question): readonly AuditLine[] {
    return this.tail.newest(limit, cause);
  }
}

import { Injectable } from '@nestjs/common';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { NodeDiagnostics } from '../../observability/diagnostics/node-diagnostics.js';
import { ProblemError } from '../http/problem.js';

/** The diagnostics of this node only, because they are not sent between nodes. */
@Injectable()
export class ClusterDiagnostics {
  constructor(
    private readonly registry: NodeRegistry,
    private readonly own: NodeDiagnostics,
  ) {}

  /**
   * @param nodeId the requested node; absent: this one
   * @throws ProblemError 404, or 421 if it is another node
   */
  of(nodeId: string | undefined): NodeDiagnostics {
    const { self, nodes } = this.registry;
    if (nodeId === undefined || nodeId === self.nodeId) return this.own;
    const meant = nodes.find((node) => node.nodeId === nodeId);
    if (meant === undefined) throw new ProblemError(404, 'No such node');
    throw new ProblemError(
      421,
      `This is ${self.nodeId}. Ask ${meant.nodeId} itself, on its own address or INTERNAL_PORT; its clients are at ${meant.url}`,
    );
  }
}

import { newIdentity } from '../ports/node-identity.js';
import type { NodeIdentity, NodeRegistry, NodeReport } from '../ports/node-registry.js';

/** A cluster with only this node. It loses no nodes and is never forgotten. */
export class MemoryNodeRegistry implements NodeRegistry {
  readonly self: NodeIdentity;
  nodes: readonly NodeReport[] = [];
  private hasWithdrawn = false;

  constructor(nodeId: string) {
    this.self = newIdentity(nodeId);
  }

  listen(): void {}

  async report(report: Omit<NodeReport, keyof NodeIdentity>): Promise<void> {
    if (!this.hasWithdrawn) this.nodes = [{ ...report, ...this.self }];
  }

  async withdraw(): Promise<void> {
    this.hasWithdrawn = true;
    this.nodes = [];
  }
}

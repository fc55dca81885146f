import { Logger } from '@nestjs/common';
import { identityOf, newIdentity } from '../ports/node-identity.js';
import type { NodeIdentity, NodeRegistry, NodeRegistryListener, NodeReport } from '../ports/node-registry.js';
import type { RemoteLink } from './remote-link.js';

type OwnReport = Parameters<NodeRegistry['report']>[0];

/** The workers of this machine, in the primary. */
export class RemoteNodeRegistry implements NodeRegistry {
  nodes: readonly NodeReport[] = [];
  private identity: NodeIdentity;
  private readonly logger = new Logger('NodeRegistry');
  private readonly listeners: NodeRegistryListener[] = [];
  private hasWithdrawn = false;

  constructor(
    private readonly link: RemoteLink,
    nodeId: string,
  ) {
    this.identity = newIdentity(nodeId);
    link.identifyAs(this.identity.incarnation);
    link.onEvent('lost', (incarnation: string) => {
      const lost = identityOf(incarnation);
      for (const listener of this.listeners) void listener.lost(lost);
    });
  }

  get self(): NodeIdentity {
    return this.identity;
  }

  listen(listener: NodeRegistryListener): void {
    this.listeners.push(listener);
  }

  async report(report: OwnReport): Promise<void> {
    if (this.hasWithdrawn) return;
    if (await this.send(report)) return;
    // The lease of this incarnation has ended.
    this.logger.warn({ msg: 'this worker was given up, and goes on under another name', nodeId: this.self.nodeId });
    this.identity = newIdentity(this.identity.nodeId);
    this.link.identifyAs(this.identity.incarnation);
    if (!(await this.send(report))) return;
    for (const listener of this.listeners) listener.forgotten();
  }

  async withdraw(): Promise<void> {
    this.hasWithdrawn = true;
    this.nodes = [];
    await this.link.call('withdraw');
  }

  /** Returns whether the engine knows this incarnation. */
  private async send(report: OwnReport): Promise<boolean> {
    const nodes = (await this.link.call('report', { ...report, ...this.self })) as readonly NodeReport[] | null;
    if (nodes === null) return false;
    if (!this.hasWithdrawn) this.nodes = nodes;
    return true;
  }
}

import { identityOf } from '../ports/node-identity.js';
import type { NodeReport } from '../ports/node-registry.js';
import { HostNode } from './host-node.js';

/** How often leases are checked. */
export const SWEEP_MS = 1_000;

/** The workers that the primary knows, each with a lease. */
export class HostNodes {
  private readonly byIncarnation = new Map<string, HostNode>();
  private readonly sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  private sweptAt = performance.now();

  /** @param lost clears up after a node; it will write no more */
  constructor(
    private readonly leaseMs: number,
    private readonly lost: (node: HostNode) => void,
  ) {}

  [Symbol.iterator](): Iterator<HostNode> {
    return this.byIncarnation.values();
  }

  /** Returns the node of this name, which may have been given up. */
  obtain(incarnation: string): HostNode {
    const node = this.byIncarnation.get(incarnation) ?? new HostNode(incarnation, performance.now());
    node.heardAt = performance.now();
    this.byIncarnation.set(incarnation, node);
    return node;
  }

  /** Returns the reports of all nodes with a lease: of each SERVER_ID the newest. */
  take(node: HostNode, report: NodeReport): readonly NodeReport[] {
    node.heardAt = performance.now();
    node.report = report;
    // The node that was heard last goes to the end of the order.
    this.byIncarnation.delete(node.incarnation);
    this.byIncarnation.set(node.incarnation, node);
    const newest = new Map<string, NodeReport>();
    for (const { report: told, incarnation } of this.byIncarnation.values()) {
      if (told !== undefined) newest.set(identityOf(incarnation).nodeId, told);
    }
    return [...newest.values()];
  }

  close(): void {
    clearInterval(this.sweeper);
  }

  /** Gives up the nodes that were not heard for a lease. */
  sweep(): void {
    const now = performance.now();
    // While this process stood still, nobody could report.
    const stoodStillMs = Math.max(0, now - this.sweptAt - 2 * SWEEP_MS);
    this.sweptAt = now;
    for (const node of this.byIncarnation.values()) {
      node.heardAt += stoodStillMs;
      if (now - node.heardAt < this.leaseMs) continue;
      node.isGivenUp = true;
      this.byIncarnation.delete(node.incarnation);
      this.lost(node);
    }
  }
}

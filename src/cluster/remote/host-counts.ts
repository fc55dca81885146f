import { identityOf } from '../ports/node-identity.js';
import type { CountKind } from '../ports/shared-counts.js';
import type { HostNode } from './host-node.js';
import type { HostNodes } from './host-nodes.js';

/** A count as a worker states it. */
export type StatedCount = readonly [kind: CountKind, key: string, count: number];

/** The places of users and addresses of all workers, in the primary. Each worker's are in its own record. */
export class HostCounts {
  constructor(private readonly nodes: HostNodes) {}

  /** Takes a place if the limit leaves one; 0: no limit. Returns whether there was room. */
  take({ counts }: HostNode, [kind, key]: readonly [kind: CountKind, key: string], limit: number): boolean {
    const own = counts[kind].get(key) ?? 0;
    if (limit > 0 && this.total(kind, key) >= limit) return false;
    counts[kind].set(key, own + 1);
    return true;
  }

  release(node: HostNode, [kind, key]: readonly [kind: CountKind, key: string]): void {
    this.state(node, [kind, key, (node.counts[kind].get(key) ?? 0) - 1]);
  }

  state({ counts }: HostNode, [kind, key, count]: StatedCount): void {
    if (count > 0) counts[kind].set(key, count);
    else counts[kind].delete(key);
  }

  /** Replaces everything that a worker has stated. */
  stateAll(node: HostNode, stated: readonly StatedCount[]): void {
    node.counts.user.clear();
    node.counts.address.clear();
    for (const count of stated) this.state(node, count);
  }

  byNode(kind: CountKind, key: string): readonly (readonly [nodeId: string, count: number])[] {
    const counts = new Map<string, number>();
    for (const node of this.nodes) {
      const count = node.counts[kind].get(key) ?? 0;
      const { nodeId } = identityOf(node.incarnation);
      if (count > 0) counts.set(nodeId, (counts.get(nodeId) ?? 0) + count);
    }
    return [...counts];
  }

  private total(kind: CountKind, key: string): number {
    let total = 0;
    for (const { counts } of this.nodes) total += counts[kind].get(key) ?? 0;
    return total;
  }
}

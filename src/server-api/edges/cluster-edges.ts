import { Injectable, Optional } from '@nestjs/common';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { ConnectedEdges, type EdgeEntry, type EdgeQuery } from '../../edge/connected-edges.js';
import { ONE_MORE, pageOf } from '../http/page.js';
import type { EdgesAnswer } from './edges.requests.js';

const KIND = 'edges';

interface NodeEdge extends EdgeEntry {
  readonly nodeId: string;
}

/** The edges of all nodes. Every node answers, even if its own API is off, or no edge may connect to it. */
@Injectable()
export class ClusterEdges {
  constructor(
    private readonly bus: NodeBus,
    private readonly registry: NodeRegistry,
    @Optional() private readonly own?: ConnectedEdges,
  ) {
    bus.handle(KIND, (payload) => this.here(payload as EdgeQuery));
  }

  async page({ after = '', limit }: EdgeQuery): Promise<EdgesAnswer> {
    const query = { after, limit: limit + ONE_MORE };
    const { received, missing } = await this.bus.ask<readonly EdgeEntry[]>(KIND, query);
    const edges = new Map<string, NodeEdge>();
    for (const [nodeId, entries] of [[this.registry.self.nodeId, this.here(query)] as const, ...received]) {
      for (const entry of entries) {
        edges.set(entry.edge, merged(edges.get(entry.edge), { ...entry, nodeId }));
      }
    }
    const known = [...edges.values()].toSorted((one, other) => (one.edge < other.edge ? -1 : 1));
    const { rows, next } = pageOf(known, limit, ({ edge }) => edge);
    return { edges: rows, missing, ...next };
  }

  private here(query: EdgeQuery): readonly EdgeEntry[] {
    return this.own?.list(query) ?? [];
  }
}

/** An edge that has moved is known to several nodes: what counts is where it is, or was heard last. */
function merged(one: NodeEdge | undefined, other: NodeEdge): NodeEdge {
  if (one === undefined) return other;
  const isNewer = one.isConnected === other.isConnected ? other.seenAt > one.seenAt : other.isConnected;
  return { ...(isNewer ? other : one), connections: one.connections + other.connections };
}

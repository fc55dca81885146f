import { Injectable } from '@nestjs/common';
import { NodeBus } from '../cluster/ports/node-bus.js';
import { NodeRegistry } from '../cluster/ports/node-registry.js';
import { ChannelHub } from './channel-hub.js';

/** A channel with subscribers, as operators see it. */
export interface ChannelSummary {
  readonly channel: string;
  readonly namespace: string;
  /** Over all nodes. */
  readonly subscribers: number;
  /** Node id (SERVER_ID) → subscribers there. Nodes without subscribers are absent. */
  readonly nodes: Readonly<Record<string, number>>;
}

export interface ChannelPage {
  /** Sorted by name, by code unit. */
  readonly channels: readonly ChannelSummary[];
  /** Nodes that did not answer. Their subscribers are not counted. */
  readonly missing: readonly string[];
}

interface PageQuery {
  readonly limit: number;
  /** Only channels whose name comes after this one. Empty: from the first. */
  readonly after: string;
  /** Only channels whose name begins with this text. Absent: all. */
  readonly prefix?: string;
}

/** A channel and its subscribers on one node. */
type Row = readonly [channel: string, namespace: string, subscribers: number];

const KIND = 'list-channels';

/** The channels with subscribers, over all nodes. */
@Injectable()
export class ChannelDirectory {
  constructor(
    private readonly bus: NodeBus,
    private readonly registry: NodeRegistry,
    private readonly hub: ChannelHub,
  ) {
    bus.handle(KIND, (payload) => this.rowsHere(payload as PageQuery));
  }

  async list(query: PageQuery): Promise<ChannelPage> {
    // A channel among the first of all nodes is among the first of each node that has it, so no node needs to send
    // more.
    const { received, missing } = await this.bus.ask<readonly Row[]>(KIND, { ...query });
    const merged = new Map<string, ChannelSummary>();
    merge(merged, this.registry.self.nodeId, this.rowsHere(query));
    for (const [nodeId, rows] of received) merge(merged, nodeId, rows);
    return { channels: [...merged.values()].sort(byName).slice(0, query.limit), missing };
  }

  private rowsHere({ limit, after, prefix = '' }: PageQuery): readonly Row[] {
    const rows: Row[] = [];
    let last: string | undefined;
    for (const { name, isCompanion, channel, subscriptions } of this.hub) {
      if (isCompanion || subscriptions.size === 0 || name <= after) continue;
      if ((last !== undefined && name >= last) || !name.startsWith(prefix)) continue;
      rows.push([name, channel.namespace.name, subscriptions.size]);
      // Two pages at a time: all names of a large node at once would block the event loop.
      if (rows.length < 2 * limit) continue;
      rows.sort(byFirst).splice(limit);
      last = rows.at(-1)?.[0];
    }
    return rows.sort(byFirst).slice(0, limit);
  }
}

function merge(merged: Map<string, ChannelSummary>, nodeId: string, rows: readonly Row[]): void {
  for (const [channel, namespace, count] of rows) {
    const { subscribers = 0, nodes = {} } = merged.get(channel) ?? {};
    merged.set(channel, {
      channel,
      namespace,
      subscribers: subscribers + count,
      nodes: { ...nodes, [nodeId]: count },
    });
  }
}

function byFirst([left]: Row, [right]: Row): number {
  return left < right ? -1 : 1;
}

function byName(left: ChannelSummary, right: ChannelSummary): number {
  return left.channel < right.channel ? -1 : 1;
}

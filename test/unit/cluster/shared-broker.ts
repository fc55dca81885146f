import type {
  Broker,
  BrokerListener,
  ChannelName,
  Draft,
  History,
  Published,
} from '../../../src/cluster/ports/broker.js';
import type {
  NodeIdentity,
  NodeRegistry,
  NodeRegistryListener,
  NodeReport,
} from '../../../src/cluster/ports/node-registry.js';
import { GatehouseError } from '../../../src/protocol/gatehouse-error.js';

/** What lies between the nodes of a test: it carries publications without history to all that are subscribed. */
export class Ether {
  isAway = false;
  /** How often each publication is brought. */
  copies = 1;
  readonly members = new Set<SharedBroker>();
  readonly published: { readonly channel: ChannelName; readonly data: unknown }[] = [];

  carry(channel: ChannelName, draft: Draft): void {
    this.published.push({ channel, data: draft.data });
    const data = structuredClone(draft.data);
    for (const member of this.members) {
      for (let copy = 0; copy < this.copies; copy += 1) setImmediate(() => member.bring(channel, { ...draft, data }));
    }
  }
}

/** One node's view of the ether. */
export class SharedBroker implements Broker {
  readonly checks = undefined;
  private readonly subscribed = new Set<ChannelName>();
  private readonly listeners: BrokerListener[] = [];

  constructor(private readonly ether: Ether) {
    ether.members.add(this);
  }

  listen(listener: BrokerListener): void {
    this.listeners.push(listener);
  }

  async publish(channel: ChannelName, draft: Draft): Promise<Published> {
    this.demandThere();
    this.ether.carry(channel, draft);
    return { position: undefined, isRepeat: false };
  }

  async subscribe(channel: ChannelName): Promise<void> {
    this.demandThere();
    this.subscribed.add(channel);
  }

  unsubscribe(channel: ChannelName): void {
    this.subscribed.delete(channel);
  }

  async history(): Promise<History> {
    return { top: { epoch: 'e', seq: 0 }, publications: [] };
  }

  async close(): Promise<void> {
    this.ether.members.delete(this);
  }

  bring(channel: ChannelName, draft: Draft): void {
    if (!this.subscribed.has(channel) || this.ether.isAway) return;
    for (const listener of this.listeners) listener.published(channel, { ...draft, ts: 0, seq: 0, bytes: 0 }, '');
  }

  interrupt(): void {
    for (const listener of this.listeners) listener.interrupted();
  }

  private demandThere(): void {
    if (this.ether.isAway) throw new GatehouseError('SERVER_BUSY');
  }
}

/** Knows the nodes that a test names. */
export class NamedRegistry implements NodeRegistry {
  nodes: readonly NodeReport[] = [];
  readonly self: NodeIdentity;
  private readonly listeners: NodeRegistryListener[] = [];

  constructor(nodeId: string, incarnation = `${nodeId}-1`) {
    this.self = { nodeId, incarnation };
  }

  listen(listener: NodeRegistryListener): void {
    this.listeners.push(listener);
  }

  lose(node: NodeIdentity): void {
    for (const listener of this.listeners) void listener.lost(node);
  }

  knows(...nodeIds: readonly string[]): void {
    const load = { sessions: 0, maxSessions: 0, eventLoopLagMs: 0, bufferedBytes: 0, processor: 0 };
    const rest = { url: 'ws://127.0.0.1/ws', version: '0', startedAt: 0, isReady: true, load };
    this.nodes = nodeIds.map((nodeId) => ({ nodeId, incarnation: `${nodeId}-1`, ...rest }));
  }

  async report(): Promise<void> {}

  async withdraw(): Promise<void> {}
}

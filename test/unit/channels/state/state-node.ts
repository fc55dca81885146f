import { parseNamespaces } from '../../../../config/namespaces.js';
import { ChannelHub } from '../../../../src/channels/channel-hub.js';
import { Channels } from '../../../../src/channels/channels.js';
import { Ledgers } from '../../../../src/channels/ledger/ledgers.js';
import { LocalChannels } from '../../../../src/channels/local-channels.js';
import { NamespaceCounts } from '../../../../src/channels/namespace-counts.js';
import { PresenceTracker } from '../../../../src/channels/presence/presence-tracker.js';
import { SlowReaders } from '../../../../src/channels/state/slow-readers.js';
import { StateCounts } from '../../../../src/channels/state/state-counts.js';
import { StateSweeper } from '../../../../src/channels/state/state-sweeper.js';
import { StateWriter } from '../../../../src/channels/state/state-writer.js';
import { States } from '../../../../src/channels/state/states.js';
import { MemoryBroker } from '../../../../src/cluster/memory/memory-broker.js';
import { MemoryPresenceStore } from '../../../../src/cluster/memory/memory-presence-store.js';
import { MemoryStateStore } from '../../../../src/cluster/memory/memory-state-store.js';
import type { Broker, BrokerListener, ChannelName, Publication } from '../../../../src/cluster/ports/broker.js';
import type { StateStore } from '../../../../src/cluster/ports/state-store.js';
import { GatehouseError } from '../../../../src/protocol/gatehouse-error.js';
import { checksOf } from '../position-checks.js';
import { SessionEvents } from '../../../../src/sessions/session-events.js';

/** What the nodes of a test share. It can lose everything, as a Redis without persistence. */
export class Engine implements AsyncDisposable {
  broker = new MemoryBroker();
  store = new MemoryStateStore(this.broker);
  readonly links: Link[] = [];

  /** Begins again with nothing, and every node notices. */
  async beginNewLife(): Promise<void> {
    const { broker, store } = this;
    this.broker = new MemoryBroker();
    this.store = new MemoryStateStore(this.broker);
    store.close();
    await broker.close();
    for (const link of this.links) await link.moveTo(this.broker);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store.close();
    await this.broker.close();
  }
}

/** One node's way to the engine. It loses publications, and can be cut. */
export class Link {
  isAway = false;
  isLossy = false;
  private listener: BrokerListener | undefined;
  private readonly names = new Set<ChannelName>();

  constructor(private readonly engine: Engine) {
    engine.links.push(this);
    this.hear(engine.broker);
  }

  interrupt(): void {
    if (!this.isAway) this.listener?.interrupted();
  }

  async moveTo(broker: MemoryBroker): Promise<void> {
    this.hear(broker);
    for (const name of this.names) await broker.subscribe(name);
    this.interrupt();
  }

  /** As the node sees the engine. */
  get broker(): Broker {
    const { engine } = this;
    const reached = (): MemoryBroker => this.reach(engine.broker);
    return {
      checks: checksOf(1_000, async (...given) => reached().history(...given)),
      listen: (listener) => void (this.listener ??= listener),
      publish: async (...given) => reached().publish(...given),
      subscribe: async (name) => {
        await reached().subscribe(name);
        this.names.add(name);
      },
      unsubscribe: (name) => void this.names.delete(name),
      history: async (...given) => reached().history(...given),
      close: async () => {},
    };
  }

  get store(): StateStore {
    const { engine } = this;
    const reached = (): MemoryStateStore => this.reach(engine.store);
    return {
      commit: async (...given) => reached().commit(...given),
      get: async (...given) => reached().get(...given),
      page: async (name) => reached().page(name),
      cellPage: async (place) => reached().cellPage(place),
      expired: async (...given) => reached().expired(...given),
    };
  }

  private reach<T>(part: T): T {
    if (this.isAway) throw new GatehouseError('SERVER_BUSY');
    return part;
  }

  private hear(broker: MemoryBroker): void {
    broker.listen({
      published: (name: ChannelName, publication: Publication, epoch: string) => {
        const isHeard = broker === this.engine.broker && !this.isAway && !this.isLossy && this.names.has(name);
        if (isHeard) this.listener?.published(name, publication, epoch);
      },
      interrupted: () => {},
    });
  }
}

/** The channels of one node that holds state. */
export function stateNode(engine: Engine, options: string) {
  const link = new Link(engine);
  const { broker, store } = link;
  const events = new SessionEvents();
  const namespaces = parseNamespaces(`namespaces: { log: { subscribe: anyone, ${options} } }`);
  const settings = { namespaces, maxPerSession: 0, presenceRate: 0, maxPresenceMembers: 0 };
  const counts = new NamespaceCounts(settings);
  const stateCounts = new StateCounts();
  const slow = new SlowReaders();
  const locals = new LocalChannels(new Ledgers(settings, events), undefined, store, stateCounts, slow);
  const hub = new ChannelHub(broker, events, counts, locals);
  const presence = new PresenceTracker(new MemoryPresenceStore(), broker, settings, events);
  const writer = new StateWriter(store, stateCounts, counts);
  const sweeper = new StateSweeper(hub, store, writer, slow);
  const channels = new Channels(settings, hub, presence, events, new States(store, writer, hub));
  return {
    link,
    hub,
    channels,
    events,
    stateCounts,
    sweeper,
    [Symbol.dispose](): void {
      hub.onApplicationShutdown();
      presence.onApplicationShutdown();
      writer.onApplicationShutdown();
    },
  };
}

export type StateNode = ReturnType<typeof stateNode>;

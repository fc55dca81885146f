import { Module, type FactoryProvider, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { clusterSettings, type ClusterSettings } from './cluster-settings.js';
import { MemoryEngine } from './memory/memory-engine.js';
import { AnswerStore } from './ports/answer-store.js';
import { BanStore } from './ports/ban-store.js';
import { BrokerOverlay } from './ports/broker-overlay.js';
import { Broker } from './ports/broker.js';
import { ClusterEngine } from './ports/cluster-engine.js';
import { ClusterEvents } from './ports/cluster-events.js';
import { ConnectionDirectory } from './ports/connection-directory.js';
import { EngineLink } from './ports/engine-link.js';
import { ListsOverlay } from './ports/lists-overlay.js';
import { ExternalEngine } from './ports/external-engine.js';
import { NodeBus } from './ports/node-bus.js';
import { NodeRegistry } from './ports/node-registry.js';
import { PresenceStore } from './ports/presence-store.js';
import { ReplayStore } from './ports/replay-store.js';
import { RevocationStore } from './ports/revocation-store.js';
import { SharedCounts } from './ports/shared-counts.js';
import { StateStore } from './ports/state-store.js';

type EngineSettings = Omit<ClusterSettings, 'redisUrl' | 'engine'>;

const clusterEngine: FactoryProvider<ClusterEngine> = {
  provide: ClusterEngine,
  inject: [Settings, { token: ExternalEngine, optional: true }],
  useFactory: async (all: Settings, external?: ExternalEngine) => {
    if (external !== undefined) return external.engine;
    const { redisUrl, engine, ...settings } = clusterSettings(all);
    if (redisUrl === undefined && engine !== undefined) return remoteEngine(engine, settings);
    return redisUrl === undefined ? new MemoryEngine(settings) : redisEngine(redisUrl, settings);
  },
};

/** By import(): a function, and a server without Redis, start sooner without it. A layer rule holds that. */
async function redisEngine(redisUrl: string, settings: EngineSettings): Promise<ClusterEngine> {
  const [{ RedisLink }, { RedisEngine }] = await Promise.all([
    import('./redis/connection/redis-link.js'),
    import('./redis/redis-engine.js'),
  ]);
  const link = new RedisLink({ ...settings, redisUrl });
  // The start does not wait for Redis: it could become unreachable a moment later as well.
  await link.opened();
  return new RedisEngine(link, settings);
}

async function remoteEngine(path: string, settings: EngineSettings): Promise<ClusterEngine> {
  const [{ RemoteLink }, { RemoteEngine }] = await Promise.all([
    import('./remote/remote-link.js'),
    import('./remote/remote-engine.js'),
  ]);
  const link = new RemoteLink({ path, timeoutMs: settings.redisTimeoutMs });
  const remote = new RemoteEngine(link, settings);
  await link.opened();
  return remote;
}

type Port<T> = abstract new () => T;

function port<T>(provide: Port<T>, useFactory: (all: ClusterEngine) => T): FactoryProvider<T> {
  return { provide, inject: [ClusterEngine], useFactory };
}

/** An edge node serves the channels of its centre itself. */
const broker: FactoryProvider<Broker> = {
  provide: Broker,
  inject: [ClusterEngine, { token: BrokerOverlay, optional: true }],
  useFactory: (all: ClusterEngine, overlay?: BrokerOverlay) => overlay?.over(all.broker) ?? all.broker,
};

/** An edge node has the orders of its centre, too. */
const bans: FactoryProvider<BanStore> = {
  provide: BanStore,
  inject: [ClusterEngine, { token: ListsOverlay, optional: true }],
  useFactory: (all: ClusterEngine, overlay?: ListsOverlay) => overlay?.bans(all.bans) ?? all.bans,
};

const revocations: FactoryProvider<RevocationStore> = {
  provide: RevocationStore,
  inject: [ClusterEngine, { token: ListsOverlay, optional: true }],
  useFactory: (all: ClusterEngine, overlay?: ListsOverlay) => overlay?.revocations(all.revocations) ?? all.revocations,
};

const directory: FactoryProvider<ConnectionDirectory> = {
  provide: ConnectionDirectory,
  inject: [ClusterEngine],
  useFactory: (all: ClusterEngine) => all.directory,
};

/** Undefined if this is the only node. */
const engineLink: FactoryProvider<EngineLink | undefined> = {
  provide: EngineLink,
  inject: [ClusterEngine],
  useFactory: ({ link }: ClusterEngine) => link,
};

/** The ports to other nodes: on Redis, in the primary of this machine, or in memory if this is the only node. */
@Module({
  providers: [
    clusterEngine,
    port(AnswerStore, ({ answers }) => answers),
    bans,
    broker,
    port(ClusterEvents, ({ events }) => events),
    port(NodeBus, ({ bus }) => bus),
    port(NodeRegistry, ({ registry }) => registry),
    port(PresenceStore, ({ presence }) => presence),
    port(ReplayStore, ({ replays }) => replays),
    revocations,
    port(SharedCounts, ({ counts }) => counts),
    port(StateStore, ({ state }) => state),
    directory,
    engineLink,
  ],
  exports: [
    ClusterEngine,
    EngineLink,
    AnswerStore,
    BanStore,
    Broker,
    ClusterEvents,
    ConnectionDirectory,
    NodeBus,
    NodeRegistry,
    PresenceStore,
    ReplayStore,
    RevocationStore,
    SharedCounts,
    StateStore,
  ],
})
export class ClusterModule implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly engine: ClusterEngine) {}

  onModuleInit(): Promise<void> {
    return this.engine.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.engine.close();
  }
}

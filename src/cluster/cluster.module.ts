import { Module, type FactoryProvider, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { clusterSettings } from './cluster-settings.js';
import { MemoryEngine } from './memory/memory-engine.js';
import { AnswerStore } from './ports/answer-store.js';
import { BanStore } from './ports/ban-store.js';
import { Broker } from './ports/broker.js';
import { ClusterEngine } from './ports/cluster-engine.js';
import { ClusterEvents } from './ports/cluster-events.js';
import { ConnectionDirectory } from './ports/connection-directory.js';
import { NodeBus } from './ports/node-bus.js';
import { NodeRegistry } from './ports/node-registry.js';
import { PresenceStore } from './ports/presence-store.js';
import { ReplayStore } from './ports/replay-store.js';
import { RevocationStore } from './ports/revocation-store.js';
import { SharedCounts } from './ports/shared-counts.js';
import { RedisLink } from './redis/connection/redis-link.js';
import { RedisEngine } from './redis/redis-engine.js';

/** The connection to Redis; undefined where this node is the only one. */
export const REDIS_LINK = Symbol('RedisLink');

const redisLink: FactoryProvider<RedisLink | undefined> = {
  provide: REDIS_LINK,
  inject: [Settings],
  useFactory: async (all: Settings) => {
    const { redisUrl, ...settings } = clusterSettings(all);
    if (redisUrl === undefined) return undefined;
    const link = new RedisLink({ ...settings, redisUrl });
    // A Redis that is not there now is waited for while serving: it could as well go a moment later.
    await link.opened();
    return link;
  },
};

const clusterEngine: FactoryProvider<ClusterEngine> = {
  provide: ClusterEngine,
  inject: [Settings, { token: REDIS_LINK, optional: true }],
  useFactory: (all: Settings, link: RedisLink | undefined) => {
    const settings = clusterSettings(all);
    return link ? new RedisEngine(link, settings) : new MemoryEngine(settings);
  },
};

type Port<T> = abstract new () => T;

function port<T>(provide: Port<T>, useFactory: (all: ClusterEngine) => T): FactoryProvider<T> {
  return { provide, inject: [ClusterEngine], useFactory };
}

const directory: FactoryProvider<ConnectionDirectory> = {
  provide: ConnectionDirectory,
  inject: [ClusterEngine],
  useFactory: (all: ClusterEngine) => all.directory,
};

/** The ports to other nodes: on Redis, or embedded where this node is the only one. */
@Module({
  providers: [
    redisLink,
    clusterEngine,
    port(AnswerStore, ({ answers }) => answers),
    port(BanStore, ({ bans }) => bans),
    port(Broker, ({ broker }) => broker),
    port(ClusterEvents, ({ events }) => events),
    port(NodeBus, ({ bus }) => bus),
    port(NodeRegistry, ({ registry }) => registry),
    port(PresenceStore, ({ presence }) => presence),
    port(ReplayStore, ({ replays }) => replays),
    port(RevocationStore, ({ revocations }) => revocations),
    port(SharedCounts, ({ counts }) => counts),
    directory,
  ],
  exports: [
    REDIS_LINK,
    ClusterEngine,
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

import { Inject, Module, type FactoryProvider, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { ANSWER_STORE, type AnswerStore } from './ports/answer-store.js';
import { BAN_STORE, type BanStore } from './ports/ban-store.js';
import { BROKER, type Broker } from './ports/broker.js';
import { BrokerNodeBus } from './bus/broker-node-bus.js';
import { ClusterBacklog } from './ports/cluster-backlog.js';
import { ClusterEvents } from './ports/cluster-events.js';
import { clusterSettings, type ClusterSettings } from './cluster-settings.js';
import { ConnectionDirectory } from './ports/connection-directory.js';
import { LoneNodeBus } from './bus/lone-node-bus.js';
import { MemoryAnswerStore } from './memory/memory-answer-store.js';
import { MemoryBanStore } from './memory/memory-ban-store.js';
import { MemoryBroker } from './memory/memory-broker.js';
import { MemoryNodeRegistry } from './memory/memory-node-registry.js';
import { MemoryPresenceStore } from './memory/memory-presence-store.js';
import { MemoryRevocationStore } from './memory/memory-revocation-store.js';
import { MemoryReplayStore } from './memory/memory-replay-store.js';
import { MemorySharedCounts } from './memory/memory-shared-counts.js';
import { NODE_BUS, type NodeBus } from './ports/node-bus.js';
import { NODE_REGISTRY, type NodeRegistry } from './ports/node-registry.js';
import { PRESENCE_STORE, type PresenceStore } from './ports/presence-store.js';
import { RedisAnswerStore } from './redis/lists/redis-answer-store.js';
import { RedisBanStore } from './redis/lists/redis-ban-store.js';
import { RedisBroker } from './redis/broker/redis-broker.js';
import { RedisLink } from './redis/connection/redis-link.js';
import { RedisNodeRegistry } from './redis/registry/redis-node-registry.js';
import { RedisPresenceStore } from './redis/presence/redis-presence-store.js';
import { RedisRevocationStore } from './redis/lists/redis-revocation-store.js';
import { RedisSharedCounts } from './redis/counts/redis-shared-counts.js';
import { REVOCATION_STORE, type RevocationStore } from './ports/revocation-store.js';
import { lifeOfIds, REPLAY_STORE, type ReplayStore } from './ports/replay-store.js';
import { SHARED_COUNTS, type SharedCounts } from './ports/shared-counts.js';

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

/** On Redis where there is one. */
function portOn<T>(
  provide: symbol,
  create: (link: RedisLink | undefined, settings: ClusterSettings) => T,
): FactoryProvider<T> {
  return {
    provide,
    inject: [{ token: REDIS_LINK, optional: true }, Settings],
    useFactory: (link: RedisLink | undefined, settings: Settings) => create(link, clusterSettings(settings)),
  };
}

const clusterEvents: FactoryProvider<ClusterEvents> = {
  provide: ClusterEvents,
  inject: [{ token: REDIS_LINK, optional: true }],
  useFactory: (link: RedisLink | undefined) => {
    const events = new ClusterEvents();
    link?.on('replaced', () => events.emit('rejoined'));
    return events;
  },
};

const nodeRegistry: FactoryProvider<NodeRegistry> = {
  provide: NODE_REGISTRY,
  inject: [Settings, { token: REDIS_LINK, optional: true }],
  useFactory: ({ server: { serverId } }: Settings, link: RedisLink | undefined) =>
    link ? new RedisNodeRegistry(link, serverId) : new MemoryNodeRegistry(serverId),
};

const presenceStore: FactoryProvider<PresenceStore> = {
  provide: PRESENCE_STORE,
  inject: [NODE_REGISTRY, { token: REDIS_LINK, optional: true }],
  useFactory: (registry: NodeRegistry, link: RedisLink | undefined) =>
    link && registry instanceof RedisNodeRegistry ? new RedisPresenceStore(link, registry) : new MemoryPresenceStore(),
};

const sharedCounts: FactoryProvider<SharedCounts> = {
  provide: SHARED_COUNTS,
  inject: [NODE_REGISTRY, { token: REDIS_LINK, optional: true }],
  useFactory: (registry: NodeRegistry, link: RedisLink | undefined) =>
    link && registry instanceof RedisNodeRegistry
      ? new RedisSharedCounts(link, registry)
      : new MemorySharedCounts(registry.self.nodeId),
};

const nodeBus: FactoryProvider<NodeBus> = {
  provide: NODE_BUS,
  inject: [BROKER, NODE_REGISTRY, ClusterEvents, { token: REDIS_LINK, optional: true }],
  useFactory: (broker: Broker, registry: NodeRegistry, events: ClusterEvents, link: RedisLink | undefined) =>
    link ? new BrokerNodeBus({ broker, registry, events, isConnected: () => link.isUp }) : new LoneNodeBus(),
};

const connectionDirectory: FactoryProvider<ConnectionDirectory> = {
  provide: ConnectionDirectory,
  inject: [NODE_REGISTRY, ClusterEvents, { token: REDIS_LINK, optional: true }],
  useFactory: (registry: NodeRegistry, events: ClusterEvents, link: RedisLink | undefined) =>
    new ConnectionDirectory({ link, registry, events }),
};

const clusterBacklog: FactoryProvider<ClusterBacklog> = {
  provide: ClusterBacklog,
  inject: [BROKER, NODE_BUS, { token: REDIS_LINK, optional: true }],
  useFactory: (broker: Broker, bus: NodeBus, link: RedisLink | undefined) => new ClusterBacklog(broker, bus, link),
};

/** The ports to other nodes: on Redis, or embedded where this node is the only one. */
@Module({
  providers: [
    redisLink,
    portOn<AnswerStore>(ANSWER_STORE, (link) => (link ? new RedisAnswerStore(link) : new MemoryAnswerStore())),
    portOn<ReplayStore>(REPLAY_STORE, (link, { replay: { windowMs, budgetBytes } }) => {
      const lifeMs = lifeOfIds(windowMs);
      return link ? new RedisAnswerStore(link, { part: 'replay', lifeMs }) : new MemoryReplayStore(lifeMs, budgetBytes);
    }),
    portOn<Broker>(BROKER, (link, { historyBudgetBytes }) =>
      link ? new RedisBroker(link) : new MemoryBroker(historyBudgetBytes),
    ),
    nodeRegistry,
    presenceStore,
    sharedCounts,
    portOn<BanStore>(BAN_STORE, (link) => (link ? new RedisBanStore(link) : new MemoryBanStore())),
    portOn<RevocationStore>(REVOCATION_STORE, (link) =>
      link ? new RedisRevocationStore(link) : new MemoryRevocationStore(),
    ),
    clusterEvents,
    nodeBus,
    connectionDirectory,
    clusterBacklog,
  ],
  exports: [
    ANSWER_STORE,
    REPLAY_STORE,
    REDIS_LINK,
    BROKER,
    PRESENCE_STORE,
    NODE_REGISTRY,
    SHARED_COUNTS,
    BAN_STORE,
    REVOCATION_STORE,
    NODE_BUS,
    ClusterBacklog,
    ClusterEvents,
    ConnectionDirectory,
  ],
})
export class ClusterModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(BROKER) private readonly broker: Broker,
    @Inject(REDIS_LINK) private readonly link: RedisLink | undefined,
    @Inject(NODE_BUS) private readonly bus: NodeBus,
    @Inject(PRESENCE_STORE) private readonly presence: PresenceStore,
    @Inject(SHARED_COUNTS) private readonly counts: SharedCounts,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.bus instanceof BrokerNodeBus) await this.bus.start();
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.bus instanceof BrokerNodeBus) this.bus.close();
    if (this.presence instanceof RedisPresenceStore) this.presence.close();
    if (this.counts instanceof RedisSharedCounts) await this.counts.close();
    await this.broker.close();
    this.link?.close();
  }
}

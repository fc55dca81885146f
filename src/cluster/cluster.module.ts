import { Inject, Module, type FactoryProvider, type OnApplicationShutdown } from '@nestjs/common';
import { BAN_STORE } from './ban-store.js';
import { BROKER, type Broker } from './broker.js';
import { CLUSTER_SETTINGS, type ClusterSettings } from './cluster-settings.js';
import { MemoryBanStore } from './memory-ban-store.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryNodeRegistry } from './memory-node-registry.js';
import { MemoryPresenceStore } from './memory-presence-store.js';
import { MemorySharedCounts } from './memory-shared-counts.js';
import { NODE_REGISTRY } from './node-registry.js';
import { PRESENCE_STORE } from './presence-store.js';
import { RedisBroker } from './redis-broker.js';
import { RedisLink } from './redis-link.js';
import { SHARED_COUNTS } from './shared-counts.js';

/** The connection to Redis; undefined where this node is the only one. */
export const REDIS_LINK = Symbol('RedisLink');

const redisLink: FactoryProvider<RedisLink | undefined> = {
  provide: REDIS_LINK,
  inject: [CLUSTER_SETTINGS],
  useFactory: async ({ redisUrl, ...settings }: ClusterSettings) => {
    if (redisUrl === undefined) return undefined;
    const link = new RedisLink({ ...settings, redisUrl });
    // A Redis that is not there now is waited for while serving: it could as well go a moment later.
    await link.opened();
    return link;
  },
};

/** On Redis where there is one. */
function portOn<T>(provide: symbol, create: (link: RedisLink | undefined) => T): FactoryProvider<T> {
  return { provide, inject: [{ token: REDIS_LINK, optional: true }], useFactory: create };
}

/** The ports to other nodes: on Redis, or embedded where this node is the only one. */
@Module({
  providers: [
    redisLink,
    portOn<Broker>(BROKER, (link) => (link ? new RedisBroker(link) : new MemoryBroker())),
    { provide: PRESENCE_STORE, useFactory: () => new MemoryPresenceStore() },
    {
      provide: NODE_REGISTRY,
      inject: [CLUSTER_SETTINGS],
      useFactory: ({ serverId }: ClusterSettings) => new MemoryNodeRegistry(serverId),
    },
    {
      provide: SHARED_COUNTS,
      inject: [CLUSTER_SETTINGS],
      useFactory: ({ serverId }: ClusterSettings) => new MemorySharedCounts(serverId),
    },
    { provide: BAN_STORE, useFactory: () => new MemoryBanStore() },
  ],
  exports: [REDIS_LINK, BROKER, PRESENCE_STORE, NODE_REGISTRY, SHARED_COUNTS, BAN_STORE],
})
export class ClusterModule implements OnApplicationShutdown {
  constructor(
    @Inject(BROKER) private readonly broker: Broker,
    @Inject(REDIS_LINK) private readonly link: RedisLink | undefined,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await this.broker.close();
    this.link?.close();
  }
}

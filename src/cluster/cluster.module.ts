import { Inject, Module, type FactoryProvider, type OnApplicationShutdown } from '@nestjs/common';
import { BROKER, type Broker } from './broker.js';
import { CLUSTER_SETTINGS, type ClusterSettings } from './cluster-settings.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryPresenceStore } from './memory-presence-store.js';
import { PRESENCE_STORE } from './presence-store.js';
import { RedisLink } from './redis-link.js';

/** The connection to Redis; undefined where this node is the only one. */
export const REDIS_LINK = Symbol('RedisLink');

const redisLink: FactoryProvider<RedisLink | undefined> = {
  provide: REDIS_LINK,
  inject: [CLUSTER_SETTINGS],
  useFactory: ({ redisUrl, ...settings }: ClusterSettings) =>
    redisUrl === undefined ? undefined : new RedisLink({ ...settings, redisUrl }),
};

/** The ports to other nodes: on Redis, or embedded where this node is the only one. */
@Module({
  providers: [
    redisLink,
    { provide: BROKER, useFactory: () => new MemoryBroker() },
    { provide: PRESENCE_STORE, useFactory: () => new MemoryPresenceStore() },
  ],
  exports: [REDIS_LINK, BROKER, PRESENCE_STORE],
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

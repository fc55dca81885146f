import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { BROKER, type Broker } from './broker.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryPresenceStore } from './memory-presence-store.js';
import { PRESENCE_STORE } from './presence-store.js';

/** The ports to other nodes. Embedded: this node is the only one. */
@Module({
  providers: [
    { provide: BROKER, useFactory: () => new MemoryBroker() },
    { provide: PRESENCE_STORE, useFactory: () => new MemoryPresenceStore() },
  ],
  exports: [BROKER, PRESENCE_STORE],
})
export class ClusterModule implements OnApplicationShutdown {
  constructor(@Inject(BROKER) private readonly broker: Broker) {}

  async onApplicationShutdown(): Promise<void> {
    await this.broker.close();
  }
}

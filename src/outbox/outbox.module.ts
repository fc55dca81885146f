import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Channels } from '../channels/channels.js';
import { ChannelsModule } from '../channels/channels.module.js';
import { connector } from './connector.js';
import { OutboxEvents } from './outbox-events.js';
import { OutboxReader } from './outbox-reader.js';

/** Publishes the rows of an outbox in PostgreSQL. Global, because observers ask for its events. */
@Global()
@Module({})
export class OutboxModule {
  /** @throws UnusableSettings if the package pg is not installed */
  static async of(url: string): Promise<DynamicModule> {
    const connect = await connector(url);
    return {
      module: OutboxModule,
      imports: [ChannelsModule],
      providers: [
        OutboxEvents,
        {
          provide: OutboxReader,
          inject: [Channels, OutboxEvents],
          useFactory: (channels: Channels, events: OutboxEvents) => new OutboxReader({ connect, channels, events }),
        },
      ],
      exports: [OutboxEvents],
    };
  }
}

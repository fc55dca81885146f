import { Global, Module, type DynamicModule } from '@nestjs/common';
import { UnusableSettings } from '../../config/unusable-settings.js';
import { Channels } from '../channels/channels.js';
import { ChannelsModule } from '../channels/channels.module.js';
import type { Connect } from './outbox-database.js';
import { OutboxEvents } from './outbox-events.js';
import { OutboxReader } from './outbox-reader.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** Above the timeout of the database, which has the better error. */
const QUERY_TIMEOUT_MS = 35_000;

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

async function connector(url: string): Promise<Connect> {
  const { default: pg } = await import('pg').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UnusableSettings(['POSTGRES_URL needs a package that is not installed. Run: npm install pg@8']);
  });
  return async () => {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'gatehouse',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
    });
    try {
      await client.connect();
    } catch (error) {
      client.on('error', () => {});
      void client.end().catch(() => undefined);
      throw error;
    }
    return client;
  };
}

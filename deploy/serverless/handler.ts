import { createHandler } from 'gatehouse/serverless';
import { Module } from '@nestjs/common';

/** Your gateways go into `providers`, or their modules into `imports`. The built-in gateways are there without it. */
@Module({})
class AppModule {}

const { CONNECTIONS_TABLE, SUBSCRIPTIONS_TABLE, CHANNELS_TABLE } = process.env;

export const handler = createHandler(AppModule, {
  tables: {
    ...(CONNECTIONS_TABLE !== undefined && { connections: CONNECTIONS_TABLE }),
    ...(SUBSCRIPTIONS_TABLE !== undefined && { subscriptions: SUBSCRIPTIONS_TABLE }),
    ...(CHANNELS_TABLE !== undefined && { channels: CHANNELS_TABLE }),
  },
});

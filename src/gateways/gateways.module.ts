import { Module, type DynamicModule } from '@nestjs/common';
import type { Settings } from '../../config/settings.js';
import { BroadcastGatewayModule } from './broadcast/broadcast-gateway.module.js';
import { ChannelsGatewayModule } from './channels/channels-gateway.module.js';
import { DirectModule } from './direct/direct.module.js';
import { EchoModule } from './echo/echo.module.js';
import { SessionGatewayModule } from './session/session-gateway.module.js';

/** The features of this server, a line each. Yours goes here too. */
@Module({})
export class GatewaysModule {
  static register(settings: Settings, authentication: DynamicModule): DynamicModule {
    return {
      module: GatewaysModule,
      imports: [
        SessionGatewayModule.register(settings, authentication),
        EchoModule,
        BroadcastGatewayModule.register(settings.authentication.broadcastRoles),
        DirectModule,
        ChannelsGatewayModule,
      ],
    };
  }
}

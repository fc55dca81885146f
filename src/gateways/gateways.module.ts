import { Module } from '@nestjs/common';
import { BroadcastGatewayModule } from './broadcast/broadcast-gateway.module.js';
import { ChannelsGatewayModule } from './channels/channels-gateway.module.js';
import { DirectModule } from './direct/direct.module.js';
import { EchoModule } from './echo/echo.module.js';
import { SessionGatewayModule } from './session/session-gateway.module.js';

/** The features of this server, one on each line. Add yours here. */
@Module({
  imports: [SessionGatewayModule, EchoModule, BroadcastGatewayModule, DirectModule, ChannelsGatewayModule],
})
export class GatewaysModule {}

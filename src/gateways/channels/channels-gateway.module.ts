import { Module } from '@nestjs/common';
import { ChannelsModule } from '../../channels/channels.module.js';
import { ReplayProtection } from '../../dispatch/calls/replay-protection.js';
import { ChannelsGateway } from './channels.gateway.js';
import { PublishLimits } from './publish-limits.js';

@Module({ imports: [ChannelsModule], providers: [ChannelsGateway, PublishLimits, ReplayProtection] })
export class ChannelsGatewayModule {}

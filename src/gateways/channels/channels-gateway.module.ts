import { Module } from '@nestjs/common';
import { ChannelsGateway } from './channels.gateway.js';

@Module({ providers: [ChannelsGateway] })
export class ChannelsGatewayModule {}

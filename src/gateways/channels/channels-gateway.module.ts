import { Module } from '@nestjs/common';
import { ChannelsGateway } from './channels.gateway.js';
import { StateGateway } from './state.gateway.js';

@Module({ providers: [ChannelsGateway, StateGateway] })
export class ChannelsGatewayModule {}

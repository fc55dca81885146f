import { Module } from '@nestjs/common';
import { BroadcastModule } from '../../broadcast/broadcast.module.js';
import { BroadcastGateway } from './broadcast.gateway.js';

@Module({ imports: [BroadcastModule], providers: [BroadcastGateway] })
export class BroadcastGatewayModule {}

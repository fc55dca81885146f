import { Module } from '@nestjs/common';
import { BroadcastModule } from '../../broadcast/broadcast.module.js';
import { DirectGateway } from './direct.gateway.js';

@Module({ imports: [BroadcastModule], providers: [DirectGateway] })
export class DirectModule {}

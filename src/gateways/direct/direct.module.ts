import { Module } from '@nestjs/common';
import { DirectGateway } from './direct.gateway.js';

@Module({ providers: [DirectGateway] })
export class DirectModule {}

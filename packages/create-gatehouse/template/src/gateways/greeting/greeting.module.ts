import { Module } from '@nestjs/common';
import { GreetingGateway } from './greeting.gateway.js';

@Module({ providers: [GreetingGateway] })
export class GreetingModule {}

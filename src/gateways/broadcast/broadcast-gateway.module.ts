import { Module, type DynamicModule } from '@nestjs/common';
import { BroadcastModule } from '../../broadcast/broadcast.module.js';
import { BroadcastGateway } from './broadcast.gateway.js';
import { BROADCAST_ROLES } from './broadcast.guard.js';

@Module({})
export class BroadcastGatewayModule {
  static register(roles: readonly string[]): DynamicModule {
    return {
      module: BroadcastGatewayModule,
      imports: [BroadcastModule],
      providers: [{ provide: BROADCAST_ROLES, useValue: roles }, BroadcastGateway],
    };
  }
}

import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { SessionsModule } from '../sessions/sessions.module.js';
import { DirectCall } from './direct-call.js';
import { DispatchEvents } from './dispatch-events.js';
import { Dispatcher } from './dispatcher.js';
import { GatewayAdvice } from './gateway-advice.js';
import { GatewayHooks } from './gateway-hooks.js';
import { GatewayScanner } from './gateway-scanner.js';
import { MessageTable } from './message-table.js';
import { NestCall } from './nest-call.js';
import { Reception } from './reception.js';
import { ReplyStreams } from './reply-streams.js';

@Module({})
export class DispatchModule {
  /** @param imports the modules of the stages below: socket, access, upgrade */
  static register(imports: DynamicModule[]): DynamicModule {
    return {
      module: DispatchModule,
      imports: [DiscoveryModule, SessionsModule, ...imports],
      providers: [
        DispatchEvents,
        Dispatcher,
        DirectCall,
        NestCall,
        GatewayAdvice,
        GatewayHooks,
        GatewayScanner,
        MessageTable,
        Reception,
        ReplyStreams,
      ],
      exports: [DispatchEvents, Reception],
    };
  }
}

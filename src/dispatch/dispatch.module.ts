import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { SessionsModule } from '../sessions/sessions.module.js';
import { Answers } from './answers.js';
import { DirectCall } from './direct-call.js';
import { DispatchEvents } from './dispatch-events.js';
import { DISPATCH_SETTINGS, type DispatchSettings } from './dispatch-settings.js';
import { Dispatcher } from './dispatcher.js';
import { EncryptedPayloads } from './encrypted-payloads.js';
import { GatewayAdvice } from './gateway-advice.js';
import { GatewayHooks } from './gateway-hooks.js';
import { GatewayScanner } from './gateway-scanner.js';
import { HandlerDeadlines } from './handler-deadlines.js';
import { Invocations } from './invocations.js';
import { MessageTable } from './message-table.js';
import { NestCall } from './nest-call.js';
import { Reception } from './reception.js';
import { ReplayProtection } from './replay-protection.js';
import { ReplyStreams } from './reply-streams.js';

@Module({})
export class DispatchModule {
  /** @param imports the modules of the stages below: socket, access, upgrade */
  static register(settings: DispatchSettings, imports: DynamicModule[]): DynamicModule {
    return {
      module: DispatchModule,
      imports: [DiscoveryModule, SessionsModule, ...imports],
      providers: [
        { provide: DISPATCH_SETTINGS, useValue: settings },
        Answers,
        DispatchEvents,
        Dispatcher,
        DirectCall,
        NestCall,
        EncryptedPayloads,
        GatewayAdvice,
        GatewayHooks,
        GatewayScanner,
        HandlerDeadlines,
        Invocations,
        MessageTable,
        Reception,
        ReplayProtection,
        ReplyStreams,
      ],
      exports: [DispatchEvents, HandlerDeadlines, Reception],
    };
  }
}

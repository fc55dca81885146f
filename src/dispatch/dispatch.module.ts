import { Module, type FactoryProvider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Settings } from '../../config/settings.js';
import { AccessModule } from '../access/access.module.js';
import { PayloadCipher } from '../protocol/payload-cipher.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { SocketModule } from '../socket/socket.module.js';
import { UpgradeModule } from '../upgrade/upgrade.module.js';
import { Answers } from './answers.js';
import { DirectCall } from './direct-call.js';
import { DispatchEvents } from './dispatch-events.js';
import { DispatchSettings } from './dispatch-settings.js';
import { Dispatcher } from './dispatcher.js';
import { EncryptedPayloads } from './encrypted-payloads.js';
import { GatewayAdvice } from './gateway-advice.js';
import { GatewayHooks } from './gateway-hooks.js';
import { GatewayScanner } from './gateway-scanner.js';
import { HandlerDeadlines } from './handler-deadlines.js';
import { Invocations } from './invocations.js';
import { MessageScope } from './message-scope.js';
import { MessageTable } from './message-table.js';
import { NestCall } from './nest-call.js';
import { Reception } from './reception.js';
import { ReplayProtection } from './replay-protection.js';
import { ReplyStreams } from './reply-streams.js';

const settings: FactoryProvider<DispatchSettings> = {
  provide: DispatchSettings,
  inject: [Settings, { token: PayloadCipher, optional: true }, { token: MessageScope, optional: true }],
  useFactory: ({ messages }: Settings, cipher: PayloadCipher | undefined, scope: MessageScope | undefined) => ({
    cipher,
    scope,
    handlerTimeoutMs: messages.handlerTimeoutMs,
  }),
};

@Module({
  imports: [DiscoveryModule, SessionsModule, SocketModule, AccessModule, UpgradeModule],
  providers: [
    settings,
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
})
export class DispatchModule {}

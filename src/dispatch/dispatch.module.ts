import { Module, type FactoryProvider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Settings } from '../../config/settings.js';
import { AccessModule } from '../access/access.module.js';
import { PayloadCipher } from '../protocol/encryption/payload-cipher.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { SocketModule } from '../socket/socket.module.js';
import { ReplyWriter } from './reply-writer.js';
import { DirectCall } from './calls/direct-call.js';
import { DispatchEvents } from './dispatch-events.js';
import { DispatchSettings } from './dispatch-settings.js';
import { Dispatcher } from './dispatcher.js';
import { EncryptedPayloads } from './inbound/encrypted-payloads.js';
import { StartupWarnings } from './startup-warnings.js';
import { GatewayHooks } from './gateway-hooks.js';
import { GatewayScanner } from './gateway-scanner.js';
import { HandlerDeadlines } from './calls/handler-deadlines.js';
import { Invocations } from './calls/invocations.js';
import { MessageScope } from './calls/message-scope.js';
import { MessageTable } from './message-table.js';
import { NestCall } from './calls/nest-call.js';
import { ReplayProtection } from './calls/replay-protection.js';
import { RuntimeInterceptors } from './calls/runtime-interceptors.js';
import { ReplyStreams } from './calls/reply-streams.js';

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
  imports: [DiscoveryModule, SessionsModule, SocketModule, AccessModule],
  providers: [
    settings,
    ReplyWriter,
    DispatchEvents,
    Dispatcher,
    DirectCall,
    NestCall,
    EncryptedPayloads,
    StartupWarnings,
    GatewayHooks,
    GatewayScanner,
    HandlerDeadlines,
    Invocations,
    MessageTable,
    ReplayProtection,
    ReplyStreams,
    RuntimeInterceptors,
  ],
  exports: [
    DispatchEvents,
    Dispatcher,
    GatewayHooks,
    GatewayScanner,
    HandlerDeadlines,
    MessageTable,
    ReplayProtection,
    ReplyStreams,
    RuntimeInterceptors,
  ],
})
export class DispatchModule {}

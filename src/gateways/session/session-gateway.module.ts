import { Module, type DynamicModule } from '@nestjs/common';
import { SessionsModule } from '../../sessions/sessions.module.js';
import { SESSION_GATEWAY_SETTINGS, SessionGateway, type SessionGatewaySettings } from './session.gateway.js';

@Module({})
export class SessionGatewayModule {
  static register(
    { server, heartbeat, messages }: SessionGatewaySettings,
    authentication: DynamicModule,
  ): DynamicModule {
    return {
      module: SessionGatewayModule,
      imports: [SessionsModule, authentication],
      providers: [{ provide: SESSION_GATEWAY_SETTINGS, useValue: { server, heartbeat, messages } }, SessionGateway],
    };
  }
}

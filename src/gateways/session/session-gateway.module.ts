import { Module } from '@nestjs/common';
import { AuthenticationModule } from '../../authentication/authentication.module.js';
import { SessionsModule } from '../../sessions/sessions.module.js';
import { SessionGateway } from './session.gateway.js';

@Module({ imports: [SessionsModule, AuthenticationModule], providers: [SessionGateway] })
export class SessionGatewayModule {}

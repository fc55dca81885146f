import { Module, type DynamicModule } from '@nestjs/common';
import { SessionsModule } from '../sessions/sessions.module.js';
import { ACCESS_SETTINGS, type AccessSettings } from './access-settings.js';
import { ConnectionLimits } from './connection-limits.js';
import { MessageRates } from './message-rate.js';

@Module({})
export class AccessModule {
  static register(settings: AccessSettings): DynamicModule {
    return {
      module: AccessModule,
      imports: [SessionsModule],
      providers: [{ provide: ACCESS_SETTINGS, useValue: settings }, ConnectionLimits, MessageRates],
      exports: [ACCESS_SETTINGS, ConnectionLimits, MessageRates],
    };
  }
}

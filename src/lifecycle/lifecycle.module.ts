import { Module, type DynamicModule } from '@nestjs/common';
import { SessionsModule } from '../sessions/sessions.module.js';
import { Drain, LIFECYCLE_SETTINGS, type LifecycleSettings } from './drain.js';
import { ServerState } from './server-state.js';

@Module({})
export class LifecycleModule {
  static register(settings: LifecycleSettings): DynamicModule {
    return {
      module: LifecycleModule,
      imports: [SessionsModule],
      providers: [{ provide: LIFECYCLE_SETTINGS, useValue: settings }, ServerState, Drain],
      exports: [ServerState],
    };
  }
}

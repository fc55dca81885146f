import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { EventLoopIndicator } from './event-loop.indicator.js';
import { HEALTH_SETTINGS, HealthController, type HealthSettings } from './health.controller.js';
import { HeapIndicator } from './heap.indicator.js';
import { StateIndicator } from './state.indicator.js';

@Module({})
export class HealthModule {
  static register(settings: HealthSettings, lifecycle: DynamicModule): DynamicModule {
    return {
      module: HealthModule,
      imports: [lifecycle, TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [{ provide: HEALTH_SETTINGS, useValue: settings }, StateIndicator, EventLoopIndicator, HeapIndicator],
    };
  }
}

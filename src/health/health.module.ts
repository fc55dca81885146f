import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { ClusterModule } from '../cluster/cluster.module.js';
import { ClusterIndicator } from './cluster.indicator.js';
import { EventLoopIndicator } from './event-loop.indicator.js';
import { HEALTH_SETTINGS, HealthController, type HealthSettings } from './health.controller.js';
import { HeapIndicator } from './heap.indicator.js';
import { StateIndicator } from './state.indicator.js';

@Module({})
export class HealthModule {
  static register(settings: HealthSettings, lifecycle: DynamicModule): DynamicModule {
    return {
      module: HealthModule,
      imports: [lifecycle, ClusterModule, TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [
        { provide: HEALTH_SETTINGS, useValue: settings },
        StateIndicator,
        EventLoopIndicator,
        HeapIndicator,
        ClusterIndicator,
      ],
    };
  }
}

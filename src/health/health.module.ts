import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { ClusterModule } from '../cluster/cluster.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { ClusterIndicator } from './cluster.indicator.js';
import { EdgeIndicator } from './edge.indicator.js';
import { EventLoopIndicator } from './event-loop.indicator.js';
import { HealthController } from './health.controller.js';
import { HeapIndicator } from './heap.indicator.js';
import { StateIndicator } from './state.indicator.js';
import { WorkersIndicator } from './workers.indicator.js';

@Module({
  imports: [LifecycleModule, ClusterModule, TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [StateIndicator, EventLoopIndicator, HeapIndicator, ClusterIndicator, EdgeIndicator, WorkersIndicator],
})
export class HealthModule {}

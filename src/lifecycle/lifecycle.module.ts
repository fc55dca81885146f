import { Module, type DynamicModule } from '@nestjs/common';
import type { Settings } from '../../config/settings.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { Departure } from './departure.js';
import { Drain } from './drain.js';
import { LIFECYCLE_SETTINGS, type LifecycleSettings } from './lifecycle-settings.js';
import { LoadMeter } from './load-meter.js';
import { NodeReporter } from './node-reporter.js';
import { Overload } from './overload.js';
import { Readiness } from './readiness.js';
import { RoutePlanner } from './route-planner.js';
import { ServerState } from './server-state.js';

@Module({})
export class LifecycleModule {
  /** @param socket the module of the stage below */
  static register(settings: Settings, socket: DynamicModule): DynamicModule {
    const { server, tls, connections, outbound, overload, lifecycle } = settings;
    const own: LifecycleSettings = { server, tls, connections, outbound, overload, lifecycle };
    return {
      module: LifecycleModule,
      imports: [SessionsModule, ClusterModule, socket],
      providers: [
        { provide: LIFECYCLE_SETTINGS, useValue: own },
        ServerState,
        LoadMeter,
        Overload,
        Readiness,
        NodeReporter,
        RoutePlanner,
        Drain,
        Departure,
      ],
      exports: [ServerState, LoadMeter, Readiness, NodeReporter, RoutePlanner, Drain],
    };
  }
}

import { Module } from '@nestjs/common';
import { ClusterModule } from '../cluster/cluster.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { SocketModule } from '../socket/socket.module.js';
import { ShutdownHook } from './shutdown-hook.js';
import { Drain } from './drain.js';
import { LoadMeter } from './load-meter.js';
import { Machine } from './machine.js';
import { NodeReporter } from './node-reporter.js';
import { Overload } from './overload.js';
import { Readiness } from './readiness.js';
import { RoutePlanner } from './route-planner.js';
import { ServerState } from './server-state.js';

@Module({
  imports: [SessionsModule, ClusterModule, SocketModule],
  providers: [ServerState, LoadMeter, Overload, Readiness, NodeReporter, RoutePlanner, Drain, ShutdownHook, Machine],
  exports: [ServerState, LoadMeter, Readiness, NodeReporter, RoutePlanner, Drain, Machine],
})
export class LifecycleModule {}

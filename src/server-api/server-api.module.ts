import { Module, type DynamicModule, type Type } from '@nestjs/common';
import type { Settings } from '../../config/settings.js';
import { AccessModule } from '../access/access.module.js';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { BroadcastModule } from '../broadcast/broadcast.module.js';
import { ChannelsModule } from '../channels/channels.module.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { isDiagnosable } from '../observability/diagnostics/diagnostics-providers.js';
import { ApiEntrance } from './http/api-entrance.js';
import { ActivityController } from './activity/activity.controller.js';
import { ClusterActivity } from './activity/cluster-activity.js';
import { AuditController } from './audit/audit.controller.js';
import { ClusterAudit } from './audit/cluster-audit.js';
import { BansController } from './bans/bans.controller.js';
import { ChannelsController } from './channels/channels.controller.js';
import { DiagnosticsController } from './diagnostics/diagnostics.controller.js';
import { ClusterDiagnostics } from './diagnostics/cluster-diagnostics.js';
import { DrainOrders } from './nodes/drain-orders.js';
import { ClusterEdges } from './edges/cluster-edges.js';
import { EdgesController } from './edges/edges.controller.js';
import { ExplainController } from './explain/explain.controller.js';
import { Once } from './messages/idempotency.js';
import { LogLevelOrders } from './logs/log-level-orders.js';
import { LogLevelsController } from './logs/log-levels.controller.js';
import { MessagesController } from './messages/messages.controller.js';
import { NodesController } from './nodes/nodes.controller.js';
import { RevocationsController } from './revocations/revocations.controller.js';
import { RightsController } from './rights/rights.controller.js';
import { RouteController } from './nodes/route.controller.js';
import { StateController } from './state/state.controller.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { ApiControllers, UnknownController } from './http/unknown.controller.js';

const CONTROLLERS: readonly Type[] = [
  MessagesController,
  SessionsController,
  ChannelsController,
  StateController,
  ExplainController,
  NodesController,
  ActivityController,
  EdgesController,
  LogLevelsController,
  BansController,
  RevocationsController,
  RightsController,
  AuditController,
];

/** HTTP for back ends and operators. */
@Module({})
export class ServerApiModule {
  /** @param settings decide which endpoints exist */
  static of(settings: Settings): DynamicModule {
    const isDiagnosed = isDiagnosable(settings);
    const controllers = [...CONTROLLERS, ...(isDiagnosed ? [DiagnosticsController] : [])];
    return {
      module: ServerApiModule,
      imports: [AuthenticationModule, AccessModule, LifecycleModule, ClusterModule, ChannelsModule, BroadcastModule],
      controllers: [RouteController, ...(settings.api.enabled === 'on' ? [...controllers, UnknownController] : [])],
      providers: [
        { provide: ApiControllers, useValue: { classes: controllers } },
        ApiEntrance,
        ...(isDiagnosed ? [ClusterDiagnostics] : []),
        ClusterActivity,
        ClusterAudit,
        ClusterEdges,
        DrainOrders,
        LogLevelOrders,
        Once,
      ],
    };
  }
}

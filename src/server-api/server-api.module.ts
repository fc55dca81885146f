import { Module, type DynamicModule, type Type } from '@nestjs/common';
import type { Settings } from '../../config/settings.js';
import { BroadcastModule } from '../broadcast/broadcast.module.js';
import { ChannelsModule } from '../channels/channels.module.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { ApiEntrance } from './api-entrance.js';
import { ApiEvents } from './api-events.js';
import { API_SETTINGS, type ApiSettings } from './api-settings.js';
import { BansController } from './bans.controller.js';
import { ChannelsController } from './channels.controller.js';
import { DrainOrders } from './drain-orders.js';
import { Once } from './idempotency.js';
import { MessagesController } from './messages.controller.js';
import { NodesController } from './nodes.controller.js';
import { RevocationsController } from './revocations.controller.js';
import { RightsController } from './rights.controller.js';
import { RouteController } from './route.controller.js';
import { SessionsController } from './sessions.controller.js';
import { API_CONTROLLERS, UnknownController } from './unknown.controller.js';

const CONTROLLERS: readonly Type[] = [
  MessagesController,
  SessionsController,
  ChannelsController,
  NodesController,
  BansController,
  RevocationsController,
  RightsController,
];

/** HTTP for back ends and operators. */
@Module({})
export class ServerApiModule {
  /** @param imports the modules of the stages below: authentication, access, lifecycle */
  static register({ api, server }: Settings, imports: DynamicModule[]): DynamicModule {
    const { trustProxy, allowedOrigins } = server;
    const settings: ApiSettings = { ...api, trustProxy, allowedOrigins };
    return {
      module: ServerApiModule,
      imports: [ClusterModule, ChannelsModule, BroadcastModule, ...imports],
      controllers: [RouteController, ...(api.enabled === 'on' ? [...CONTROLLERS, UnknownController] : [])],
      providers: [
        { provide: API_SETTINGS, useValue: settings },
        { provide: API_CONTROLLERS, useValue: CONTROLLERS },
        ApiEvents,
        ApiEntrance,
        DrainOrders,
        Once,
      ],
      exports: [ApiEvents],
    };
  }
}

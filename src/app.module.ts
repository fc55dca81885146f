import { Module, type DynamicModule, type Type } from '@nestjs/common';
import type { Settings } from '../config/settings.js';
import { AccessModule } from './access/access.module.js';
import { AuthenticationModule } from './authentication/authentication.module.js';
import { ChannelsSettingsModule } from './channels/channels-settings.module.js';
import { ClusterSettingsModule } from './cluster/cluster-settings.module.js';
import { DispatchModule } from './dispatch/dispatch.module.js';
import type { MessageScope } from './dispatch/message-scope.js';
import { GatewaysModule } from './gateways/gateways.module.js';
import { HealthModule } from './health/health.module.js';
import { LifecycleModule } from './lifecycle/lifecycle.module.js';
import type { Logging } from './observability/logs/logging.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { PayloadCipher } from './protocol/payload-cipher.js';
import { ServerApiModule } from './server-api/server-api.module.js';
import { SocketModule } from './socket/socket.module.js';
import { TransportModule } from './transport/transport.module.js';
import { UpgradeModule } from './upgrade/upgrade.module.js';

/** What is there before the application is. */
export interface Surroundings {
  readonly logging: Logging;
  /** Undefined where nobody wants to know which message a line is about. */
  readonly scope: MessageScope | undefined;
}

/** The stages of a message's path, in order, and what watches them. */
@Module({})
export class AppModule {
  /** @param features modules with gateways that do not stand in gateways.module.ts, as tests and embedders bring them */
  static register(
    settings: Settings,
    { logging, scope }: Surroundings,
    features: readonly (Type | DynamicModule)[] = [],
  ): DynamicModule {
    const authentication = AuthenticationModule.register(settings.authentication);
    const socket = SocketModule.register(settings);
    const lifecycle = LifecycleModule.register(settings, socket);
    const access = AccessModule.register(settings);
    const upgrade = UpgradeModule.register(settings, [authentication, lifecycle, access]);
    const transport = TransportModule.register(settings, upgrade);
    const cipher = PayloadCipher.of(settings.encryption);
    const dispatch = DispatchModule.register({ cipher, scope, handlerTimeoutMs: settings.messages.handlerTimeoutMs }, [
      socket,
      access,
      upgrade,
    ]);
    const serverApi = ServerApiModule.register(settings, logging.logs, [authentication, access, lifecycle]);
    return {
      module: AppModule,
      imports: [
        dispatch,
        ClusterSettingsModule.register(settings),
        ChannelsSettingsModule.register({ ...settings.channels, cipher }),
        GatewaysModule.register(settings, authentication),
        ...features,
        HealthModule.register(settings.health, lifecycle),
        transport,
        serverApi,
        ...(settings.tracing.exporter === 'none' ? [] : [tracing(settings, logging, [upgrade, dispatch])]),
        ObservabilityModule.register(settings, logging, [
          socket,
          access,
          lifecycle,
          upgrade,
          dispatch,
          serverApi,
          transport,
        ]),
      ],
    };
  }
}

/** Not even loaded where nothing is traced. */
async function tracing(settings: Settings, { logs }: Logging, imports: DynamicModule[]): Promise<DynamicModule> {
  const { TracingModule } = await import('./observability/tracing/tracing.module.js');
  return TracingModule.register(settings, logs, imports);
}

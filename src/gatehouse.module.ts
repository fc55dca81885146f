import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import type { Bridges } from '../config/bridges/bridges.js';
import type { EdgeRules } from '../config/edge-file.js';
import type { Hooks } from '../config/hooks.js';
import type { Settings } from '../config/settings.js';
import { settingsOf, type SettingsSource } from '../config/settings-source.js';
import { AccessModule } from './access/access.module.js';
import { BroadcastModule } from './broadcast/broadcast.module.js';
import { ChannelsModule } from './channels/channels.module.js';
import { SubscriptionReview } from './channels/subscription-review.js';
import { ContractModule } from './contract/contract.module.js';
import { DispatchModule } from './dispatch/dispatch.module.js';
import { MessageScope } from './dispatch/calls/message-scope.js';
import { EndpointModule } from './endpoint/endpoint.module.js';
import { HealthModule } from './health/health.module.js';
import { Logging } from './observability/logs/logging.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { RuntimeModule, type Runtime } from './runtime.module.js';
import { ServerApiModule } from './server-api/server-api.module.js';
import { RightsReview } from './sessions/rights-review.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { TransportModule } from './transport/transport.module.js';

/** Options of `GatehouseModule.forRoot()`. */
export interface GatehouseOptions extends SettingsSource {
  /** Where `/api`, `/route`, `/health`, `/ready`, `/metrics`, `/docs` and `/contract` are, below the global prefix of the application. Default: `/gatehouse`. */
  readonly httpPrefix?: string;
}

const DEFAULT_HTTP_PREFIX = '/gatehouse';
/** Providers that gateways inject, in any module. */
const FOR_GATEWAYS = [BroadcastModule, ChannelsModule, DispatchModule, SessionsModule];

/** The stages of a message's path, in order, and observability. */
@Module({})
export class GatehouseModule {
  /**
   * Gatehouse in a Nest application of your own: import this in its root module, and call `installGatehouse(app)` before
   * the application listens.
   *
   * @throws UnusableSettings naming every setting that cannot be used
   */
  static forRoot({ httpPrefix = DEFAULT_HTTP_PREFIX, ...source }: GatehouseOptions = {}): DynamicModule {
    const settings = settingsOf(source);
    return GatehouseModule.of({
      settings,
      openLogging: () => Logging.open(settings),
      scope: MessageScope.of(settings),
      httpPrefix,
    });
  }

  /**
   * @internal For the program, which is an application of its own.
   * @param features modules with gateways that are not in gateways.module.ts
   */
  static of(runtime: Runtime, features: readonly (Type | DynamicModule)[] = []): DynamicModule {
    const { settings, httpPrefix } = runtime;
    return {
      module: GatehouseModule,
      global: true,
      imports: [
        RuntimeModule.of(runtime),
        ...(httpPrefix === '' ? [] : [RouterModule.register([{ path: httpPrefix, children: WITH_CONTROLLERS }])]),
        AccessModule,
        ContractModule,
        EndpointModule,
        builtInGateways(),
        ...FOR_GATEWAYS,
        ...features,
        ...(settings.hooks.loaded === undefined ? [] : [hooksModule(settings.hooks.loaded)]),
        ...(settings.outbox.postgresUrl === undefined ? [] : [outboxModule(settings.outbox.postgresUrl)]),
        ...(settings.bridges.loaded === undefined ? [] : [bridgesModule(settings.bridges.loaded)]),
        ...(settings.edge.rules === undefined ? [] : [edgeModule(settings, settings.edge.rules)]),
        ...(settings.edge.centre === 'on' ? [edgeCentreModule()] : []),
        HealthModule,
        TransportModule,
        ServerApiModule.of(settings),
        ...(settings.tracing.exporter === 'none' ? [] : [tracingModule()]),
        ObservabilityModule.of(settings),
      ],
      // Sessions, a lower stage than channels, use it through this port.
      providers: [{ provide: RightsReview, useExisting: SubscriptionReview }],
      exports: [...FOR_GATEWAYS, RightsReview],
    };
  }
}

const WITH_CONTROLLERS = [HealthModule, ServerApiModule, PrometheusModule];

/** By import(), because gateways import the public API, which exports this class. */
async function builtInGateways(): Promise<DynamicModule> {
  const { GatewaysModule } = await import('./gateways/gateways.module.js');
  return { module: GatewaysModule };
}

/** Loaded only if there is a hooks file. */
async function hooksModule(hooks: Hooks): Promise<DynamicModule> {
  const { HooksModule } = await import('./hooks/hooks.module.js');
  return HooksModule.of(hooks);
}

/** Loaded only if there is an outbox. */
async function outboxModule(url: string): Promise<DynamicModule> {
  const { OutboxModule } = await import('./outbox/outbox.module.js');
  return OutboxModule.of(url);
}

/** Loaded only if there is a bridges file. */
async function bridgesModule(bridges: Bridges): Promise<DynamicModule> {
  const { BridgesModule } = await import('./bridges/bridges.module.js');
  return BridgesModule.of(bridges);
}

/** Loaded only at an edge node. */
async function edgeModule(settings: Settings, rules: EdgeRules): Promise<DynamicModule> {
  const { EdgeModule } = await import('./edge/edge.module.js');
  return EdgeModule.of(settings, rules);
}

/** Loaded only at the centre of edge nodes. */
async function edgeCentreModule(): Promise<DynamicModule> {
  const { EdgeCentreModule } = await import('./edge/centre/edge-centre.module.js');
  return { module: EdgeCentreModule };
}

/** Not loaded unless tracing is on. */
async function tracingModule(): Promise<DynamicModule> {
  const { TracingModule } = await import('./observability/tracing/tracing.module.js');
  return { module: TracingModule };
}

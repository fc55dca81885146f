import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { AccessModule } from './access/access.module.js';
import { DispatchModule } from './dispatch/dispatch.module.js';
import { GatewaysModule } from './gateways/gateways.module.js';
import { HealthModule } from './health/health.module.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { RuntimeModule, type Runtime } from './runtime.module.js';
import { ServerApiModule } from './server-api/server-api.module.js';
import { TransportModule } from './transport/transport.module.js';

/** The stages of a message's path, in order, and what watches them. */
@Module({})
export class AppModule {
  /** @param features modules with gateways that do not stand in gateways.module.ts, as tests and embedders bring them */
  static of(runtime: Runtime, features: readonly (Type | DynamicModule)[] = []): DynamicModule {
    const { settings, logging } = runtime;
    const serverApi = ServerApiModule.of(settings, logging.logs);
    return {
      module: AppModule,
      imports: [
        RuntimeModule.of(runtime),
        AccessModule,
        DispatchModule,
        GatewaysModule,
        ...features,
        HealthModule,
        TransportModule,
        serverApi,
        ...(settings.tracing.exporter === 'none' ? [] : [tracingModule()]),
        ObservabilityModule.of(settings, serverApi),
      ],
    };
  }
}

/** Not even loaded where nothing is traced. */
async function tracingModule(): Promise<DynamicModule> {
  const { TracingModule } = await import('./observability/tracing/tracing.module.js');
  return { module: TracingModule };
}

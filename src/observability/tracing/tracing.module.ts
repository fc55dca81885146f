import { Global, Module, type DynamicModule } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { Settings } from '../../../config/settings.js';
import { TRACES, type Traces } from '../../protocol/traces.js';
import { SessionsModule } from '../../sessions/sessions.module.js';
import type { Logs } from '../logs/logs.js';
import { ConnectionSpans } from './connection-spans.js';
import { MessageSpans } from './message-spans.js';
import { OpenTelemetry } from './open-telemetry.js';
import { PublicationSpans } from './publication-spans.js';
import { RequestSpans } from './request-spans.js';
import { SpanInterceptor } from './span.interceptor.js';
import { TRACING, type Tracing } from './tracing.js';

/**
 * Part of the application, and loaded, only where tracing is on. Global, for every stage that publishes or delivers asks
 * for what it provides.
 */
@Global()
@Module({})
export class TracingModule {
  /** @param imports the modules of the stages that are watched: upgrade, dispatch */
  static register(settings: Settings, logs: Logs, imports: DynamicModule[]): DynamicModule {
    return {
      module: TracingModule,
      imports: [SessionsModule, ...imports],
      providers: [
        { provide: TRACING, useFactory: () => OpenTelemetry.start(settings, logs) },
        {
          provide: TRACES,
          inject: [TRACING],
          useFactory: ({ tracer }: Tracing): Traces => new PublicationSpans(tracer),
        },
        ConnectionSpans,
        MessageSpans,
        RequestSpans,
        { provide: APP_INTERCEPTOR, useClass: SpanInterceptor },
      ],
      exports: [TRACING, TRACES],
    };
  }
}

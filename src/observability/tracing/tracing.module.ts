import { Global, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { Settings } from '../../../config/settings.js';
import { DispatchModule } from '../../dispatch/dispatch.module.js';
import { Traces } from '../../protocol/traces.js';
import { SessionsModule } from '../../sessions/sessions.module.js';
import { Logs } from '../logs/logs.js';
import { UpgradeModule } from '../../upgrade/upgrade.module.js';
import { ConnectionSpans } from './connection-spans.js';
import { MessageSpans } from './message-spans.js';
import { OpenTelemetry } from './open-telemetry.js';
import { PublicationSpans } from './publication-spans.js';
import { RequestSpans } from './request-spans.js';
import { SpanInterceptor } from './span.interceptor.js';
import { Tracing } from './tracing.js';

/** Loaded only if tracing is on. Global, because every stage that publishes or delivers asks for its providers. */
@Global()
@Module({
  imports: [SessionsModule, UpgradeModule, DispatchModule],
  providers: [
    {
      provide: Tracing,
      inject: [Settings, Logs],
      useFactory: (settings: Settings, logs: Logs) => OpenTelemetry.start(settings, logs),
    },
    { provide: Traces, inject: [Tracing], useFactory: ({ tracer }: Tracing): Traces => new PublicationSpans(tracer) },
    ConnectionSpans,
    MessageSpans,
    RequestSpans,
    { provide: APP_INTERCEPTOR, useClass: SpanInterceptor },
  ],
  exports: [Tracing, Traces],
})
export class TracingModule {}

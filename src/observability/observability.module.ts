import { Module, type DynamicModule } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import type { Logger } from 'pino';
import { ClusterModule } from '../cluster/cluster.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { ApiObserver } from './api-observer.js';
import { ClusterLog } from './cluster-log.js';
import { ConnectionLog, LOGGER } from './connection-log.js';
import { MessageLogInterceptor } from './message-log.interceptor.js';
import { MessageTallies } from './message-tallies.js';
import { metricProviders } from './metrics.js';
import { MetricsRecorder } from './metrics.recorder.js';

/** Made once a process: it registers the process's own metrics, and they may be registered only once. */
const prometheus = PrometheusModule.register({ path: '/metrics', defaultMetrics: { enabled: true } });

@Module({})
export class ObservabilityModule {
  /** @param imports the modules of the stages that are watched: socket, access, upgrade, dispatch, server-api */
  static register(logger: Logger, imports: DynamicModule[]): DynamicModule {
    const messageLog = { provide: APP_INTERCEPTOR, useClass: MessageLogInterceptor };
    return {
      module: ObservabilityModule,
      imports: [prometheus, ClusterModule, SessionsModule, ...imports],
      providers: [
        { provide: LOGGER, useValue: logger },
        ...metricProviders,
        MessageTallies,
        ConnectionLog,
        ClusterLog,
        ApiObserver,
        MetricsRecorder,
        ...(logger.isLevelEnabled('debug') ? [messageLog] : []),
      ],
    };
  }
}

import { Module, type DynamicModule } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { Anomalies, ANOMALY_SETTINGS } from './anomalies.js';
import { AnomalyReport } from './anomaly-report.js';
import { ApiObserver } from './api-observer.js';
import { AUDIT_SETTINGS, AuditLog } from './audit-log.js';
import { auditMetricProviders } from './audit-metrics.js';
import { AuditOperations } from './audit-operations.js';
import { AuditObserver } from './audit-observer.js';
import { ClusterLog } from './cluster-log.js';
import { ConnectionLog, LOGGER } from './connection-log.js';
import { MessageLogInterceptor } from './message-log.interceptor.js';
import { MessageTallies } from './message-tallies.js';
import { metricProviders } from './metrics.js';
import { MetricsRecorder } from './metrics.recorder.js';
import { transportMetrics } from './transport-metrics.js';
import { TransportObserver } from './transport-observer.js';

/** Made once a process: it registers the process's own metrics, and they may be registered only once. */
const prometheus = PrometheusModule.register({ path: '/metrics', defaultMetrics: { enabled: true } });

@Module({})
export class ObservabilityModule {
  /** @param imports the modules of the stages that are watched: socket, access, lifecycle, upgrade, dispatch, server-api */
  static register(settings: Settings, logger: Logger, imports: DynamicModule[]): DynamicModule {
    const messageLog = { provide: APP_INTERCEPTOR, useClass: MessageLogInterceptor };
    const audit = [{ provide: AUDIT_SETTINGS, useValue: settings }, AuditLog, AuditObserver, AuditOperations];
    const anomalies = [{ provide: ANOMALY_SETTINGS, useValue: settings.anomalies }, AnomalyReport, Anomalies];
    return {
      module: ObservabilityModule,
      imports: [prometheus, ClusterModule, SessionsModule, ...imports],
      providers: [
        { provide: LOGGER, useValue: logger },
        ...metricProviders,
        ...transportMetrics,
        ...auditMetricProviders,
        MessageTallies,
        ConnectionLog,
        ClusterLog,
        ApiObserver,
        MetricsRecorder,
        TransportObserver,
        ...(settings.audit.log === 'on' ? audit : []),
        ...(Anomalies.areWanted(settings.anomalies) ? anomalies : []),
        ...(logger.isLevelEnabled('debug') ? [messageLog] : []),
      ],
    };
  }
}

import { Module, type DynamicModule } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { register } from 'prom-client';
import type { Settings } from '../../config/settings.js';
import { ChannelsModule } from '../channels/channels.module.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { accessMetrics } from './access-metrics.js';
import { Anomalies, ANOMALY_SETTINGS } from './anomalies.js';
import { AnomalyReport } from './anomaly-report.js';
import { ApiObserver } from './api-observer.js';
import { AUDIT_SETTINGS, AuditLog } from './audit-log.js';
import { auditMetricProviders } from './audit-metrics.js';
import { AuditOperations } from './audit-operations.js';
import { AuditObserver } from './audit-observer.js';
import { channelMetrics } from './channel-metrics.js';
import { ClusterLog } from './cluster-log.js';
import { clusterMetrics } from './cluster-metrics.js';
import { ConnectionLog } from './connection-log.js';
import { connectionMetrics } from './connection-metrics.js';
import { ConnectionTallies } from './connection-tallies.js';
import { diagnosticsProviders } from './diagnostics/diagnostics-providers.js';
import { limitMetrics } from './limit-metrics.js';
import { logMetrics } from './log-metrics.js';
import { LogOutput } from './log-output.js';
import type { Logging } from './logging.js';
import { Logs } from './logs.js';
import { MessageLog } from './message-log.js';
import { messageMetrics } from './message-metrics.js';
import { MessageTallies } from './message-tallies.js';
import { nodeMetrics } from './node-metrics.js';
import { tracingMetrics } from './tracing/tracing-metrics.js';
import { transportMetrics } from './transport-metrics.js';
import { TransportObserver } from './transport-observer.js';

/** Made once a process: it registers the process's own metrics, and they may be registered only once. */
const prometheus = PrometheusModule.register({ path: '/metrics', defaultMetrics: { enabled: true } });

/**
 * Of those, the ones for which every scrape lists all sockets, in one go: 0.2 s for 100,000, in which nothing else happens.
 * Sessions, other TCP connections and file descriptors have counts of their own.
 */
const TOO_DEAR = ['handles', 'resources'].flatMap((what) => [`nodejs_active_${what}`, `nodejs_active_${what}_total`]);
for (const name of TOO_DEAR) register.removeSingleMetric(name);

@Module({})
export class ObservabilityModule {
  /** @param imports the modules of the stages that are watched: socket, access, lifecycle, upgrade, dispatch, server-api */
  static register(settings: Settings, logging: Logging, imports: DynamicModule[]): DynamicModule {
    const audit = [{ provide: AUDIT_SETTINGS, useValue: settings }, AuditLog, AuditObserver, AuditOperations];
    const anomalies = [{ provide: ANOMALY_SETTINGS, useValue: settings.anomalies }, AnomalyReport, Anomalies];
    return {
      module: ObservabilityModule,
      imports: [prometheus, ChannelsModule, ClusterModule, SessionsModule, ...imports],
      providers: [
        { provide: Logs, useValue: logging.logs },
        { provide: LogOutput, useValue: logging.output },
        ...connectionMetrics,
        ...messageMetrics,
        ...accessMetrics,
        ...channelMetrics,
        ...clusterMetrics,
        ...nodeMetrics,
        ...limitMetrics(settings),
        ...transportMetrics,
        ...logMetrics,
        ...auditMetricProviders,
        ...tracingMetrics,
        ...diagnosticsProviders(settings),
        ConnectionTallies,
        MessageTallies,
        ConnectionLog,
        MessageLog,
        ClusterLog,
        ApiObserver,
        TransportObserver,
        ...(settings.audit.log === 'on' ? audit : []),
        ...(Anomalies.areWanted(settings.anomalies) ? anomalies : []),
      ],
    };
  }
}

import { Module, type DynamicModule } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { register } from 'prom-client';
import type { Settings } from '../../config/settings.js';
import { ChannelsModule } from '../channels/channels.module.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { accessMetrics } from './metrics/access-metrics.js';
import { Anomalies, ANOMALY_SETTINGS } from './anomalies/anomalies.js';
import { AnomalyReport } from './anomalies/anomaly-report.js';
import { ApiObserver } from './logs/api-observer.js';
import { AUDIT_SETTINGS, AuditLog } from './audit/audit-log.js';
import { auditMetricProviders } from './audit/audit-metrics.js';
import { AuditOperations } from './audit/audit-operations.js';
import { AuditObserver } from './audit/audit-observer.js';
import { channelMetrics } from './metrics/channel-metrics.js';
import { ClusterLog } from './logs/cluster-log.js';
import { clusterMetrics } from './metrics/cluster-metrics.js';
import { ConnectionLog } from './logs/connection-log.js';
import { connectionMetrics } from './metrics/connection-metrics.js';
import { ConnectionTallies } from './metrics/connection-tallies.js';
import { diagnosticsProviders } from './diagnostics/diagnostics-providers.js';
import { limitMetrics } from './metrics/limit-metrics.js';
import { logMetrics } from './logs/log-metrics.js';
import { LogOutput } from './logs/log-output.js';
import type { Logging } from './logs/logging.js';
import { Logs } from './logs/logs.js';
import { MessageLog } from './logs/message-log.js';
import { messageMetrics } from './metrics/message-metrics.js';
import { MessageTallies } from './metrics/message-tallies.js';
import { nodeMetrics } from './metrics/node-metrics.js';
import { tracingMetrics } from './tracing/tracing-metrics.js';
import { transportMetrics } from './metrics/transport-metrics.js';
import { TransportObserver } from './logs/transport-observer.js';

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

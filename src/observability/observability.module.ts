import { Global, Module, type DynamicModule, type FactoryProvider, type Provider } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { Registry } from 'prom-client';
import type { Settings } from '../../config/settings.js';
import { AccessModule } from '../access/access.module.js';
import { ChannelsModule } from '../channels/channels.module.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { SocketModule } from '../socket/socket.module.js';
import { TransportModule } from '../transport/transport.module.js';
import { UpgradeModule } from '../upgrade/upgrade.module.js';
import { NodeActivity } from './activity/node-activity.js';
import { accessMetrics } from './metrics/access-metrics.js';
import { Anomalies } from './anomalies/anomalies.js';
import { AnomalyReport } from './anomalies/anomaly-report.js';
import { ApiEvents } from './api-events.js';
import { ApiObserver } from './logs/api-observer.js';
import { AuditBackEnds } from './audit/audit-back-ends.js';
import { AuditLog } from './audit/audit-log.js';
import { AuditTail } from './audit/audit-tail.js';
import { auditMetricProviders } from './audit/audit-metrics.js';
import { AuditOperations } from './audit/audit-operations.js';
import { AuditObserver } from './audit/audit-observer.js';
import { channelMetrics } from './metrics/channel-metrics.js';
import { ClusterLog } from './logs/cluster-log.js';
import { clusterMetrics } from './metrics/cluster-metrics.js';
import { ConnectionLog } from './logs/connection-log.js';
import { connectionMetrics } from './metrics/connection-metrics.js';
import { ConnectionTallies } from './metrics/connection-tallies.js';
import { diagnosticsProviders, isDiagnosable } from './diagnostics/diagnostics-providers.js';
import { limitMetrics } from './metrics/limit-metrics.js';
import { logMetrics } from './logs/log-metrics.js';
import { MessageLog } from './logs/message-log.js';
import { bridgeMetrics } from './metrics/bridge-metrics.js';
import { hookMetrics } from './metrics/hook-metrics.js';
import { edgeMetrics } from './metrics/edge-metrics.js';
import { outboxMetrics } from './metrics/outbox-metrics.js';
import { HookLog } from './logs/hook-log.js';
import { BridgeLog } from './logs/bridge-log.js';
import { EdgeLog } from './logs/edge-log.js';
import { OutboxLog } from './logs/outbox-log.js';
import { heapMetrics } from './diagnostics/heap-metrics.js';
import { NodeDiagnostics } from './diagnostics/node-diagnostics.js';
import { MachineMetrics } from './metrics/machine-metrics.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { registryOf } from './metrics/metrics-registry.js';
import { messageMetrics } from './metrics/message-metrics.js';
import { MessageTallies } from './metrics/message-tallies.js';
import { nodeMetrics } from './metrics/node-metrics.js';
import { tapMetrics } from './tap/tap-metrics.js';
import { TapGateway } from './tap/tap.gateway.js';
import { TapWatches } from './tap/tap-watches.js';
import { Taps } from './tap/taps.js';
import { transportMetrics } from './metrics/transport-metrics.js';
import { TransportObserver } from './logs/transport-observer.js';

const prometheus = PrometheusModule.register({
  path: '/metrics',
  controller: MetricsController,
  defaultMetrics: { enabled: false },
});

/** Empty if there is no audit log. */
const auditTail: FactoryProvider<AuditTail> = {
  provide: AuditTail,
  inject: [{ token: AuditLog, optional: true }],
  useFactory: (log: AuditLog | undefined) => log?.tail ?? new AuditTail(),
};

const OBSERVERS = [
  ConnectionLog,
  MessageLog,
  ClusterLog,
  HookLog,
  OutboxLog,
  BridgeLog,
  EdgeLog,
  ApiObserver,
  TransportObserver,
];
/** What the console shows. */
const FOR_OPERATORS = [NodeActivity, TapWatches, Taps, TapGateway, auditTail];

/**
 * Global, because the controller of Prometheus' own module asks for the registry, and the server API for its events and
 * diagnostics.
 */
@Global()
@Module({})
export class ObservabilityModule {
  /** @param settings decide what is observed */
  static of(settings: Settings): DynamicModule {
    const metrics = metricsOf(settings);
    return {
      module: ObservabilityModule,
      imports: [
        prometheus,
        AccessModule,
        ChannelsModule,
        ClusterModule,
        DispatchModule,
        LifecycleModule,
        SessionsModule,
        SocketModule,
        TransportModule,
        UpgradeModule,
      ],
      providers: [
        ...metrics,
        registryOf(metrics),
        ...diagnosticsProviders(settings),
        ApiEvents,
        MachineMetrics,
        ConnectionTallies,
        MessageTallies,
        ...OBSERVERS,
        ...FOR_OPERATORS,
        ...(settings.audit.log !== 'off' ? [AuditLog, AuditObserver, AuditOperations, AuditBackEnds] : []),
        ...(Anomalies.areWanted(settings.anomalies) ? [AnomalyReport, Anomalies] : []),
      ],
      exports: [
        Registry,
        MachineMetrics,
        ApiEvents,
        NodeActivity,
        AuditTail,
        ...(isDiagnosable(settings) ? [NodeDiagnostics] : []),
      ],
    };
  }
}

function metricsOf(settings: Settings): Provider[] {
  return [
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
    ...hookMetrics,
    ...tapMetrics,
    ...outboxMetrics,
    ...bridgeMetrics,
    ...edgeMetrics,
    ...heapMetrics,
  ];
}

import type { Provider } from '@nestjs/common';
import { getToken, makeCounterProvider, makeHistogramProvider } from '@willsoto/nestjs-prometheus';
import type { Metric } from 'prom-client';
import { Bans } from '../access/bans.js';
import { ConnectionLimits } from '../access/connection-limits.js';
import { Revocations } from '../access/revocations.js';
import { REDIS_LINK } from '../cluster/cluster.module.js';
import { NODE_REGISTRY, type NodeRegistry } from '../cluster/node-registry.js';
import type { RedisLink } from '../cluster/redis-link.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import { Arrivals } from '../socket/arrivals.js';
import { OUTBOUND_CONTEXT, type OutboundContext } from '../socket/outbound-queue.js';
import { Doorstep } from '../upgrade/doorstep.js';
import { MessageTallies } from './message-tallies.js';
import { pulledCounter, pulledCounters, pulledGauge } from './pulled-metric.js';
import { tallyHistogram } from './tally.js';

/** The names are the contract of docs/protocol.md: dashboards and alerts of others stand on them. */
export const METRIC = {
  active: 'websocket_active_connections',
  opened: 'websocket_connections_opened_total',
  closed: 'websocket_connections_closed_total',
  refused: 'websocket_connections_refused_total',
  duration: 'websocket_connection_duration_seconds',
  received: 'websocket_messages_received_total',
  sent: 'websocket_messages_sent_total',
  bytesReceived: 'websocket_bytes_received_total',
  bytesSent: 'websocket_bytes_sent_total',
  size: 'websocket_message_size_bytes',
  processingTime: 'websocket_message_processing_time_seconds',
  errors: 'websocket_errors_total',
  roundTrip: 'websocket_heartbeat_rtt_seconds',
  queueBytes: 'websocket_outbound_queue_bytes',
  dropped: 'websocket_dropped_messages_total',
  inboundBytes: 'websocket_inbound_bytes',
  breaches: 'websocket_breaches_total',
  httpConnections: 'gatehouse_http_connections',
  httpCut: 'gatehouse_http_cut_total',
  recoveries: 'websocket_recoveries_total',
  repeats: 'websocket_repeats_answered_total',
  bans: 'websocket_bans_active',
  bansMade: 'websocket_bans_total',
  overRate: 'websocket_messages_over_rate_total',
  addressesForgotten: 'gatehouse_addresses_forgotten_total',
  revocations: 'gatehouse_revocations_active',
  revocationsRefused: 'gatehouse_revocations_refused_total',
  subscriptionsDropped: 'gatehouse_subscriptions_dropped_total',
  clusterLosses: 'websocket_cluster_losses_total',
  redisUp: 'websocket_redis_up',
  redisFailures: 'websocket_redis_failures_total',
  clusterNodes: 'websocket_cluster_nodes',
  apiRequests: 'gatehouse_api_requests_total',
  auditFailures: 'gatehouse_audit_write_failures_total',
  auditLost: 'gatehouse_audit_lines_lost_total',
  auditLeftOut: 'gatehouse_audit_lines_left_out_total',
  anomalyActive: 'gatehouse_anomaly_active',
  anomalies: 'gatehouse_anomalies_total',
  httpRefused: 'gatehouse_http_refused_total',
  tlsErrors: 'websocket_tls_errors_total',
  tlsReloads: 'gatehouse_tls_reloads_total',
  tlsExpiry: 'gatehouse_tls_certificate_expiry_timestamp_seconds',
} as const;

const SECONDS_OF_CONNECTIONS = [1, 10, 60, 300, 1_800, 3_600, 21_600, 86_400];
const SECONDS_OF_ROUND_TRIPS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** Counted as things happen, which is seldom. */
const pushed: Provider[] = [
  makeCounterProvider({ name: METRIC.opened, help: 'Connections opened' }),
  makeCounterProvider({ name: METRIC.closed, help: 'Connections closed, by close code', labelNames: ['code'] }),
  makeCounterProvider({ name: METRIC.refused, help: 'Upgrades refused, by reason', labelNames: ['reason'] }),
  makeHistogramProvider({ name: METRIC.duration, help: 'Life of connections', buckets: SECONDS_OF_CONNECTIONS }),
  makeCounterProvider({ name: METRIC.errors, help: 'Errors answered, by code', labelNames: ['code'] }),
  makeHistogramProvider({ name: METRIC.roundTrip, help: 'From ping to pong', buckets: SECONDS_OF_ROUND_TRIPS }),
  makeCounterProvider({
    name: METRIC.bansMade,
    help: 'Bans made on this node, by the limit that was broken, or operator',
    labelNames: ['reason'],
  }),
  makeCounterProvider({
    name: METRIC.overRate,
    help: 'Messages refused for the rate of their session or address, or made to wait',
    labelNames: ['of'],
  }),
  makeCounterProvider({
    name: METRIC.recoveries,
    help: 'Clients that came back to a channel, by whether they got all they had missed',
    labelNames: ['result'],
  }),
  makeCounterProvider({
    name: METRIC.repeats,
    help: 'Protected messages that came again and were answered as the first time, by type',
    labelNames: ['type'],
  }),
  makeCounterProvider({
    name: METRIC.subscriptionsDropped,
    help: 'Subscriptions that sessions lost with the right to them, or the presence events of one',
    labelNames: ['lost'],
  }),
  makeCounterProvider({
    name: METRIC.clusterLosses,
    help: 'What could not be shared with other nodes, for Redis was away or slow',
    labelNames: ['what'],
  }),
  makeCounterProvider({
    name: METRIC.dropped,
    help: 'Frames dropped instead of sent, by reason',
    labelNames: ['reason'],
  }),
  makeCounterProvider({
    name: METRIC.breaches,
    help: 'Connections closed for a rule that the client broke, by rule',
    labelNames: ['reason'],
  }),
  makeCounterProvider({
    name: METRIC.httpCut,
    help: 'TCP connections cut off before a request that could be answered, by reason',
    labelNames: ['reason'],
  }),
  makeCounterProvider({
    name: METRIC.apiRequests,
    help: 'Requests to the server API, by endpoint and status',
    labelNames: ['route', 'status'],
  }),
  makeCounterProvider({
    name: METRIC.redisFailures,
    help: 'What Redis refused, did not answer in time, or could not be asked',
  }),
];

/** Counted for every message in plain numbers, shown at a scrape. */
const tallied: Provider[] = [
  tallyProvider(METRIC.received, ({ received }) =>
    pulledCounters({ name: METRIC.received, help: 'Messages received, by type', label: 'type' }, () => received),
  ),
  tallyProvider(METRIC.sent, ({ sent }) =>
    pulledCounters({ name: METRIC.sent, help: 'Messages queued for clients, by type', label: 'type' }, () => sent),
  ),
  tallyProvider(METRIC.processingTime, ({ processingTime }) =>
    tallyHistogram(processingTime, {
      name: METRIC.processingTime,
      help: 'From arrival of a message to its answer, by type',
      label: 'type',
    }),
  ),
  tallyProvider(METRIC.size, ({ size }) =>
    tallyHistogram(size, {
      name: METRIC.size,
      help: 'Size of messages; a message for many counts once per encoding',
      label: 'direction',
    }),
  ),
  tallyProvider(METRIC.bytesReceived, (tallies) =>
    pulledCounter(METRIC.bytesReceived, 'Payload bytes of messages received', () => tallies.bytesReceived),
  ),
];

/** Read from where they are kept, at each scrape. */
const pulled: Provider[] = [
  {
    provide: getToken(METRIC.active),
    inject: [SessionRegistry],
    useFactory: (sessions: SessionRegistry) => pulledGauge(METRIC.active, 'Open connections', () => sessions.size),
  },
  {
    provide: getToken(METRIC.bans),
    inject: [Bans],
    useFactory: (bans: Bans) => pulledGauge(METRIC.bans, 'Addresses and users banned', () => bans.activeCount),
  },
  {
    provide: getToken(METRIC.revocations),
    inject: [Revocations],
    useFactory: (revocations: Revocations) =>
      pulledGauge(METRIC.revocations, 'Revocations and changes of rights in force', () => revocations.activeCount),
  },
  {
    provide: getToken(METRIC.revocationsRefused),
    inject: [Revocations],
    useFactory: (revocations: Revocations) =>
      pulledCounter(
        METRIC.revocationsRefused,
        'Revocations refused, for there were too many',
        () => revocations.refusedCount,
      ),
  },
  {
    provide: getToken(METRIC.addressesForgotten),
    inject: [ConnectionLimits, Bans],
    useFactory: (limits: ConnectionLimits, bans: Bans) =>
      pulledCounters(
        {
          name: METRIC.addressesForgotten,
          help: 'What was forgotten of addresses before its time, for there were too many',
          label: 'what',
        },
        () => Object.entries({ rate: limits.dropped, ...bans.dropped }),
      ),
  },
  {
    provide: getToken(METRIC.redisUp),
    inject: [{ token: REDIS_LINK, optional: true }],
    useFactory: (link: RedisLink | undefined) =>
      pulledGauge(METRIC.redisUp, 'Whether Redis answers; absent where none is used', () => link && Number(link.isUp)),
  },
  {
    provide: getToken(METRIC.clusterNodes),
    inject: [NODE_REGISTRY],
    useFactory: (registry: NodeRegistry) =>
      pulledGauge(METRIC.clusterNodes, 'Nodes with a lease, this one included', () => registry.nodes.length),
  },
  {
    provide: getToken(METRIC.queueBytes),
    inject: [OUTBOUND_CONTEXT],
    useFactory: ({ budget }: OutboundContext) =>
      pulledGauge(METRIC.queueBytes, 'Bytes that wait for slow readers', () => budget.waiting),
  },
  {
    provide: getToken(METRIC.inboundBytes),
    inject: [Arrivals],
    useFactory: (arrivals: Arrivals) =>
      pulledGauge(METRIC.inboundBytes, 'Bytes of incomplete messages', () => arrivals.bytes),
  },
  {
    provide: getToken(METRIC.httpConnections),
    inject: [Doorstep],
    useFactory: (doorstep: Doorstep) =>
      pulledGauge(METRIC.httpConnections, 'TCP connections that are no session', () => doorstep.size),
  },
  {
    provide: getToken(METRIC.bytesSent),
    inject: [OUTBOUND_CONTEXT],
    useFactory: ({ turn }: OutboundContext) =>
      pulledCounter(METRIC.bytesSent, 'Frame bytes handed to sockets', () => turn.bytesSent),
  },
];

export const metricProviders: Provider[] = [...pushed, ...tallied, ...pulled];

function tallyProvider(name: string, create: (tallies: MessageTallies) => Metric): Provider {
  return { provide: getToken(name), inject: [MessageTallies], useFactory: create };
}

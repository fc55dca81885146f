import { graph, heatmap, timeline, type Row } from './panels.js';
import { buckets, perSecond, quantiles, rate, series, total } from './queries.js';

const channels: Row = {
  title: 'Channels',
  panels: [
    graph('Channels', {
      about: 'Channels with subscribers on a node, by namespace; one on three nodes counts three times.',
      unit: 'short',
      stacked: true,
      queries: { '{{namespace}}': total('gatehouse_channels', ['namespace']) },
    }),
    graph('Subscriptions', {
      about: 'By namespace.',
      unit: 'short',
      stacked: true,
      queries: { '{{namespace}}': total('gatehouse_subscriptions', ['namespace']) },
    }),
    graph('Published and delivered', {
      about: 'Deliveries are one a subscriber: between the two lies the fan-out.',
      unit: 'ops',
      queries: {
        'published, {{namespace}}': rate('gatehouse_publications_total', ['namespace']),
        'delivered, {{namespace}}': rate('gatehouse_deliveries_total', ['namespace']),
      },
    }),
  ],
};

const redis: Row = {
  title: 'Redis and the cluster',
  panels: [
    timeline('Redis is there', {
      about: 'Whether each node reaches Redis. Empty where none is used.',
      unit: 'short',
      queries: { '{{instance}}': series('websocket_redis_up') },
    }),
    timeline('Redis refuses commands', {
      about: 'Why, where it does: it is read-only, loading, out of memory, or the user may not. 1 while it lasts.',
      unit: 'short',
      queries: { '{{instance}}, {{fault}}': series('websocket_redis_fault') },
    }),
    graph('Round trip', {
      about: 'From a ping to the answer of Redis.',
      unit: 's',
      queries: quantiles('websocket_redis_roundtrip_seconds'),
    }),
    graph('Failures', {
      about: 'What Redis refused, did not answer in time, or could not be asked.',
      unit: 'ops',
      queries: { '{{instance}}': perSecond('websocket_redis_failures_total') },
    }),
    graph('Publications not replicated in time', {
      about: 'Stored, and answered NOT_REPLICATED: fewer replicas had them than their namespace demands.',
      unit: 'ops',
      queries: { '{{instance}}': perSecond('gatehouse_publications_unreplicated_total') },
    }),
    graph('Lag between nodes', {
      about: 'From a publication on its node to its arrival here. Clocks that differ show as well.',
      unit: 's',
      queries: quantiles('websocket_cluster_lag_seconds'),
    }),
    heatmap('Lag between nodes, distribution', {
      about: 'The same.',
      unit: 's',
      queries: { '{{le}}': buckets('websocket_cluster_lag_seconds') },
    }),
    graph('Not shared, by kind', {
      about: 'What other nodes were not told, for Redis was away or slow.',
      unit: 'ops',
      stacked: true,
      queries: { '{{what}}': rate('websocket_cluster_losses_total', ['what']) },
    }),
  ],
};

const nodes: Row = {
  title: 'Nodes and drains',
  panels: [
    timeline('State', {
      about: 'Which state each node is in.',
      unit: 'short',
      queries: { '{{instance}} {{state}}': `${series('gatehouse_node_state')} > 0` },
    }),
    graph('Nodes known', {
      about: 'How many nodes each one knows of. All lines must lie on each other.',
      unit: 'short',
      queries: { '{{instance}}': series('websocket_cluster_nodes') },
    }),
    graph('Drains', {
      about: 'Sessions that were there when a node began to drain, and those that still are.',
      unit: 'short',
      queries: {
        '{{instance}} at first': series('gatehouse_drain_sessions_leaving'),
        '{{instance}} still': series('gatehouse_drain_sessions_remaining'),
      },
    }),
    graph('Age', {
      about: 'Since the start of the process; a restart is a fall to zero.',
      unit: 's',
      queries: { '{{instance}}': `time() - ${series('process_start_time_seconds')}` },
    }),
    graph('Versions', {
      about: 'Nodes by what they run.',
      unit: 'short',
      stacked: true,
      queries: {
        '{{version}}, Node {{node_version}}': `count by (version, node_version) (${series('gatehouse_build_info')})`,
      },
    }),
    graph('Anomalies', {
      about: 'How often something went out of the ordinary in the hour before.',
      unit: 'short',
      stacked: true,
      width: 16,
      queries: { '{{kind}}': `sum by (kind) (increase(${series('gatehouse_anomalies_total')}[1h]))` },
    }),
    timeline('Out of the ordinary', {
      about: 'The anomalies that the log warns of.',
      unit: 'short',
      queries: { '{{kind}}': `max by (kind) (${series('gatehouse_anomaly_active')})` },
    }),
  ],
};

const access: Row = {
  title: 'Access',
  panels: [
    graph('Bans', {
      about: 'Addresses and users banned at the moment; nodes that share a Redis share them.',
      unit: 'short',
      queries: { '{{instance}}': series('websocket_bans_active') },
    }),
    graph('Bans made, by reason', {
      about: 'By the limit that was broken, or an operator.',
      unit: 'ops',
      stacked: true,
      queries: { '{{reason}}': rate('websocket_bans_total', ['reason']) },
    }),
    graph('Bans not made', {
      about: 'Addresses refused for lack of places and not banned, since some of their connections did not answer.',
      unit: 'ops',
      queries: { '{{instance}}': perSecond('websocket_bans_spared_total') },
    }),
    graph('Messages over the rate', {
      about: 'Refused, or made to wait, for the rate of their session or address.',
      unit: 'ops',
      stacked: true,
      queries: { '{{of}}': rate('websocket_messages_over_rate_total', ['of']) },
    }),
    graph('Rules broken', {
      about: 'Connections closed for a rule of the protocol.',
      unit: 'ops',
      stacked: true,
      queries: { '{{reason}}': rate('websocket_breaches_total', ['reason']) },
    }),
    graph('HTTP refused or cut off', {
      about: 'Requests refused before a handler, and connections cut off before a request.',
      unit: 'ops',
      stacked: true,
      queries: {
        'refused: {{reason}}': rate('gatehouse_http_refused_total', ['reason']),
        'cut: {{reason}}': rate('gatehouse_http_cut_total', ['reason']),
      },
    }),
    graph('TLS', {
      about:
        'Handshakes that failed: `certificate_rejected` by clients that do not know the issuer. And certificates read anew.',
      unit: 'ops',
      stacked: true,
      queries: {
        '{{reason}}': rate('websocket_tls_errors_total', ['reason']),
        'certificate {{result}}': rate('gatehouse_tls_reloads_total', ['result']),
      },
    }),
    graph('Revocations', {
      about: 'Revocations and changed rights in force, those that were refused, and subscriptions lost by them.',
      unit: 'short',
      queries: {
        'in force': `max(${series('gatehouse_revocations_active')})`,
        refused: rate('gatehouse_revocations_refused_total'),
        'lost: {{lost}}': rate('gatehouse_subscriptions_dropped_total', ['lost']),
      },
    }),
    graph('Forgotten of addresses', {
      about: 'What there were too many of to remember: endless addresses attack.',
      unit: 'ops',
      stacked: true,
      queries: { '{{what}}': rate('gatehouse_addresses_forgotten_total', ['what']) },
    }),
    graph('Certificate ends in', {
      about: 'The one in use; empty without TLS.',
      unit: 's',
      queries: { '{{instance}}': `${series('gatehouse_tls_certificate_expiry_timestamp_seconds')} - time()` },
    }),
  ],
};

export const cluster: readonly Row[] = [channels, redis, nodes, access];

import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { Ledgers } from '../../channels/ledger/ledgers.js';
import { NamespaceCounts, type NamespaceCount } from '../../channels/namespace-counts.js';
import { SessionEvents } from '../../sessions/session-events.js';
import { eventCounters } from './event-metric.js';
import { METRIC } from './metrics.js';
import { stateMetrics } from './state-metrics.js';
import { pulledCounters, pulledGauge, pulledGauges, type LabelledMetric } from './pulled-metric.js';

/** Channels by namespace, their publications, recoveries and state. */
export const channelMetrics: Provider[] = [
  ...stateMetrics,
  byNamespace(METRIC.channels, 'Channels with subscribers on this node', 'channels'),
  byNamespace(METRIC.subscriptions, 'Subscriptions of sessions of this node', 'subscriptions'),
  byNamespace(METRIC.publications, 'Publications made on this node', 'publications'),
  byNamespace(
    METRIC.deliveries,
    'Publications queued for subscribers on this node, counted once per receiver',
    'deliveries',
  ),
  eventCounters(SessionEvents, {
    name: METRIC.recoveries,
    help: 'Recoveries of channels after a reconnect, by result',
    label: 'result',
    values: ['recovered', 'gap'],
    listen: (sessions, count) => sessions.on('recovered', (result) => count(result)),
  }),
  eventCounters(SessionEvents, {
    name: METRIC.subscriptionsDropped,
    help: 'Subscriptions, or their presence events, that sessions lost because their rights changed',
    label: 'lost',
    values: ['channel', 'presence'],
    listen: (sessions, count) => sessions.on('dropped', (_session, _channel, lost) => count(lost)),
  }),
  {
    provide: getToken(METRIC.ledgerEntries),
    inject: [Ledgers],
    useFactory: (ledgers: Ledgers) =>
      pulledGauge(METRIC.ledgerEntries, 'Records of deliveries, subscriptions and sessions in ledgers', () =>
        ledgers.areKept ? ledgers.size : undefined,
      ),
  },
];

/** Values that only grow are counters. */
function byNamespace(name: string, help: string, what: keyof Omit<NamespaceCount, 'changed'>): Provider {
  const metric: LabelledMetric = { name, help, label: 'namespace' };
  const show = what === 'channels' || what === 'subscriptions' ? pulledGauges : pulledCounters;
  return {
    provide: getToken(name),
    inject: [NamespaceCounts],
    useFactory: (counts: NamespaceCounts) =>
      show(metric, () => [...counts].map(([namespace, count]) => [namespace, count[what]] as const)),
  };
}

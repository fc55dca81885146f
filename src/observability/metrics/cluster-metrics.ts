import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { ClusterEvents, CLUSTER_LOSSES } from '../../cluster/ports/cluster-events.js';
import { EngineLink } from '../../cluster/ports/engine-link.js';
import { NodeRegistry } from '../../cluster/ports/node-registry.js';
import { eventCounter, eventCounters, eventHistogram } from './event-metric.js';
import { METRIC } from './metrics.js';
import { pulledGauge, pulledGauges } from './pulled-metric.js';
import { Distribution, tallyHistogram } from './tally.js';

const SECONDS_OF_REDIS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Undefined on a single node. */
type Link = EngineLink | undefined;
const LINK = { token: EngineLink, optional: true };

/** Undefined without Redis. The engine in the primary of a worker has no metrics of its own. */
function redisOf(link: Link): Link {
  return link?.engine === 'redis' ? link : undefined;
}

const redis: Provider[] = [
  {
    provide: getToken(METRIC.redisUp),
    inject: [LINK],
    useFactory: (link: Link) =>
      pulledGauge(
        METRIC.redisUp,
        '1 if Redis answers, otherwise 0; absent without Redis',
        () => redisOf(link) && Number(link?.isUp),
      ),
  },
  {
    provide: getToken(METRIC.redisFault),
    inject: [LINK],
    useFactory: (link: Link) =>
      pulledGauges(
        {
          name: METRIC.redisFault,
          help: '1 while Redis refuses commands for this reason, otherwise 0',
          label: 'fault',
        },
        () => redisOf(link)?.knownFaults.map((fault) => [fault, Number(link?.faults.includes(fault))] as const) ?? [],
      ),
  },
  eventCounter<Link>(LINK, {
    name: METRIC.redisFailures,
    help: 'Redis commands that were refused, timed out or could not be sent',
    listen: (link, count) => redisOf(link)?.on('failed', () => count()),
  }),
  eventCounter<Link>(LINK, {
    name: METRIC.redisUnreplicated,
    help: 'Publications that did not reach enough replicas of Redis in time',
    listen: (link, count) => redisOf(link)?.on('unreplicated', (publications) => count(publications)),
  }),
  eventHistogram<Link>(LINK, {
    name: METRIC.redisRoundTrip,
    help: 'Time from a ping to the answer of Redis',
    buckets: SECONDS_OF_REDIS,
    listen: (link, observe) => redisOf(link)?.on('roundTrip', (milliseconds) => observe(milliseconds / 1_000)),
  }),
];

/** Metrics of the other nodes and of Redis. */
export const clusterMetrics: Provider[] = [
  ...redis,
  {
    provide: getToken(METRIC.clusterNodes),
    inject: [NodeRegistry],
    useFactory: (registry: NodeRegistry) =>
      pulledGauge(METRIC.clusterNodes, 'Nodes with a lease, including this one', () => registry.nodes.length),
  },
  {
    provide: getToken(METRIC.clusterLag),
    inject: [LINK],
    useFactory: (link: Link) => {
      const lag = new Distribution(SECONDS_OF_REDIS);
      // The clocks of two machines may differ by more than the transit time.
      link?.on('arrived', (milliseconds) => lag.observe(Math.max(0, milliseconds) / 1_000));
      return tallyHistogram(lag, {
        name: METRIC.clusterLag,
        help: 'Time from a publication to its arrival on this node',
      });
    },
  },
  eventCounters(ClusterEvents, {
    name: METRIC.clusterLosses,
    help: 'Data that did not reach other nodes because Redis was unreachable or slow',
    label: 'what',
    values: CLUSTER_LOSSES,
    listen: (cluster, count) => cluster.on('lost', (what, lost) => count(what, lost)),
  }),
];

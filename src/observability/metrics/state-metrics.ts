import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { ChannelHub } from '../../channels/channel-hub.js';
import { StateChannel } from '../../channels/state/state-channel.js';
import { StateCounts } from '../../channels/state/state-counts.js';
import { METRIC } from './metrics.js';
import { pulledCounter, pulledCounters, pulledGauge } from './pulled-metric.js';

/** State channels: how changes end, and what subscribers get instead of single changes. */
export const stateMetrics: Provider[] = [
  {
    provide: getToken(METRIC.stateChanges),
    inject: [StateCounts],
    useFactory: ({ results }: StateCounts) =>
      pulledCounters(
        { name: METRIC.stateChanges, help: 'Changes of keys that were asked of this node, by result', label: 'result' },
        () => Object.entries(results),
      ),
  },
  {
    provide: getToken(METRIC.stateSnapshots),
    inject: [StateCounts],
    useFactory: ({ snapshots }: StateCounts) =>
      pulledCounters(
        { name: METRIC.stateSnapshots, help: 'Whole states that subscribers got, by cause', label: 'cause' },
        () => Object.entries(snapshots),
      ),
  },
  {
    provide: getToken(METRIC.stateConflated),
    inject: [StateCounts],
    useFactory: (counts: StateCounts) =>
      pulledCounter(
        METRIC.stateConflated,
        'Publications that a slow subscriber got together with later ones',
        () => counts.conflated,
      ),
  },
  {
    provide: getToken(METRIC.stateKeys),
    inject: [ChannelHub],
    useFactory: (hub: ChannelHub) =>
      pulledGauge(METRIC.stateKeys, 'Keys of state channels with subscribers on this node', () => keysIn(hub)),
  },
];

function keysIn(hub: ChannelHub): number {
  let keys = 0;
  for (const channel of hub) if (channel instanceof StateChannel) keys += channel.keys;
  return keys;
}

import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { OutboundContext } from '../../socket/outbound-context.js';
import { METRIC } from './metrics.js';
import { pulledCounters } from './pulled-metric.js';

/** Frames to clients: what compression saves, and what waits by priority. */
export const frameMetrics: Provider[] = [
  {
    provide: getToken(METRIC.compressionFrames),
    inject: [OutboundContext],
    useFactory: ({ compression }: OutboundContext) =>
      pulledCounters(
        {
          name: METRIC.compressionFrames,
          help: 'Frames long enough to be compressed, each once for all its receivers, by outcome',
          label: 'outcome',
        },
        () => Object.entries(compression.frames),
      ),
  },
  {
    provide: getToken(METRIC.compressionBytes),
    inject: [OutboundContext],
    useFactory: ({ compression }: OutboundContext) =>
      pulledCounters(
        {
          name: METRIC.compressionBytes,
          help: 'Bytes of compressed frames, each once for all its receivers, before and after',
          label: 'stage',
        },
        () => Object.entries(compression.bytes),
      ),
  },
  {
    provide: getToken(METRIC.priorityHeld),
    inject: [OutboundContext],
    useFactory: ({ priorities }: OutboundContext) =>
      pulledCounters(
        {
          name: METRIC.priorityHeld,
          help: 'Publications that waited for slow readers, by priority; none if every namespace is normal',
          label: 'priority',
        },
        () => Object.entries(priorities.held),
      ),
  },
  {
    provide: getToken(METRIC.priorityDropped),
    inject: [OutboundContext],
    useFactory: ({ priorities }: OutboundContext) =>
      pulledCounters(
        {
          name: METRIC.priorityDropped,
          help: 'Of these, those that were dropped while the connection went on',
          label: 'priority',
        },
        () => Object.entries(priorities.dropped),
      ),
  },
];

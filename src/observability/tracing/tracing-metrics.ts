import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { METRIC } from '../metrics/metrics.js';
import { pulledCounters } from '../metrics/pulled-metric.js';
import { SPAN_LOSSES, TRACING, type Tracing } from './tracing.js';

const NONE_LOST = SPAN_LOSSES.map((reason) => [reason, 0] as const);

export const tracingMetrics: Provider[] = [
  {
    provide: getToken(METRIC.spansDropped),
    inject: [{ token: TRACING, optional: true }],
    useFactory: (tracing: Tracing | undefined) =>
      pulledCounters(
        { name: METRIC.spansDropped, help: 'Spans that reached no collector, by reason', label: 'reason' },
        () => tracing?.dropped ?? NONE_LOST,
      ),
  },
];

import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { Counter, Gauge } from 'prom-client';
import { METRIC } from '../metrics/metrics.js';
import { Taps } from './taps.js';
import { TapWatches } from './tap-watches.js';

/** What operators watch. */
export const tapMetrics: Provider[] = [
  {
    provide: getToken(METRIC.taps),
    inject: [TapWatches],
    useFactory: (watches: TapWatches) =>
      new Gauge({
        name: METRIC.taps,
        help: 'Taps that this node watches for, begun on any node',
        registers: [],
        collect() {
          this.set(watches.size);
        },
      }),
  },
  {
    provide: getToken(METRIC.tapLines),
    inject: [Taps],
    useFactory: (taps: Taps) => {
      const help = 'Lines of taps that began on this node, by outcome';
      const counter = new Counter({ name: METRIC.tapLines, help, labelNames: ['outcome'], registers: [] });
      for (const outcome of ['sent', 'left_out']) counter.inc({ outcome }, 0);
      taps.on('line', (leftOut) => {
        counter.inc({ outcome: 'sent' });
        if (leftOut > 0) counter.inc({ outcome: 'left_out' }, leftOut);
      });
      return counter;
    },
  },
];

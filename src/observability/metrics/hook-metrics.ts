import type { Provider } from '@nestjs/common';
import { getToken } from '@willsoto/nestjs-prometheus';
import { Counter, Histogram } from 'prom-client';
import { DROP_REASONS, HookEvents, HOOKS } from '../../hooks/hook-events.js';
import { HOOK_FAILURES } from '../../hooks/hook-failure.js';
import { METRIC } from './metrics.js';

const OUTCOMES = ['ok', 'denied', ...HOOK_FAILURES] as const;
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Absent if there is no hooks file. */
const SOURCE = { token: HookEvents, optional: true };

/** What back ends are asked and told. */
export const hookMetrics: Provider[] = [
  {
    provide: getToken(METRIC.hookRequests),
    inject: [SOURCE],
    useFactory: (events: HookEvents | undefined) => {
      const help = 'Requests to back ends, by hook and outcome';
      const counter = new Counter({ name: METRIC.hookRequests, help, labelNames: ['hook', 'outcome'], registers: [] });
      for (const hook of HOOKS) for (const outcome of OUTCOMES) counter.inc({ hook, outcome }, 0);
      events?.on('ended', (hook, outcome) => counter.inc({ hook, outcome }));
      return counter;
    },
  },
  {
    provide: getToken(METRIC.hookDuration),
    inject: [SOURCE],
    useFactory: (events: HookEvents | undefined) => {
      const help = 'Seconds until a back end had answered, or had failed to';
      const histogram = new Histogram({
        name: METRIC.hookDuration,
        help,
        labelNames: ['hook'],
        buckets: BUCKETS,
        registers: [],
      });
      events?.on('ended', (hook, _outcome, milliseconds) => histogram.observe({ hook }, milliseconds / 1_000));
      return histogram;
    },
  },
  {
    provide: getToken(METRIC.hookEventsDropped),
    inject: [SOURCE],
    useFactory: (events: HookEvents | undefined) => {
      const help = 'Events that were dropped before the back end was told of them';
      const counter = new Counter({ name: METRIC.hookEventsDropped, help, labelNames: ['reason'], registers: [] });
      for (const reason of DROP_REASONS) counter.inc({ reason }, 0);
      events?.on('dropped', (count, reason) => counter.inc({ reason }, count));
      return counter;
    },
  },
];

import { integer, milliseconds } from '../setting.js';

/** The checks of /ready. */
export const health = {
  maxEventLoopLagMs: milliseconds({
    env: 'READY_MAX_EVENT_LOOP_LAG_MS',
    fallback: 1_000,
    effect: 'Event-loop lag since the last request above which /ready answers 503. 0 = no check.',
  }),
  maxHeapPercent: integer({
    env: 'READY_MAX_HEAP_PERCENT',
    fallback: 95,
    unit: 'percent',
    max: 100,
    effect: 'Share of the heap limit above which /ready answers 503. 0 = no check.',
  }),
} as const;

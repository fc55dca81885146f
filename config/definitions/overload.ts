import { integer, milliseconds } from '../setting.js';

/** When a node refuses new clients. */
export const overload = {
  eventLoopLagMs: milliseconds({
    env: 'OVERLOAD_EVENT_LOOP_LAG_MS',
    fallback: 500,
    effect: 'Event-loop lag above which new connections are refused with 1013. 0 = no check.',
  }),
  bufferedPercent: integer({
    env: 'OVERLOAD_BUFFERED_PERCENT',
    fallback: 90,
    unit: 'percent',
    max: 100,
    effect:
      'Share of OUTBOUND_BUDGET_BYTES waiting for slow readers above which new connections are refused with 1013. 0 = no check.',
  }),
  heapPercent: integer({
    env: 'OVERLOAD_HEAP_PERCENT',
    fallback: 90,
    unit: 'percent',
    max: 100,
    effect: 'Share of the heap limit above which new connections are refused with 1013. 0 = no check.',
  }),
} as const;

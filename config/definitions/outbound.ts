import { bytes } from '../setting.js';

/** Limits on data that waits for slow readers. */
export const outbound = {
  queueBytes: bytes({
    env: 'OUTBOUND_QUEUE_BYTES',
    fallback: 1_048_576,
    min: 1_024,
    effect: 'Bytes that may wait for one slow reader. Beyond it 4008.',
  }),
  budgetBytes: bytes({
    env: 'OUTBOUND_BUDGET_BYTES',
    fallback: 268_435_456,
    effect:
      'Bytes that may wait for all slow readers of the node. Beyond it, the slowest close with 4008. 0 = no limit.',
  }),
} as const;

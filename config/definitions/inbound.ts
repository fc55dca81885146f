import { bytes, integer, milliseconds } from '../setting.js';

/** Limits on incomplete messages of clients. */
export const inbound = {
  timeoutMs: milliseconds({
    env: 'MESSAGE_TIMEOUT_MS',
    fallback: 30_000,
    effect:
      'A message that has begun must be complete within this time, even if bytes keep arriving. Beyond it 4408. It sets the slowest client that can send the largest message: 10 MiB in 30 s are 2.8 Mbit/s. 0 = no limit.',
  }),
  maxFragments: integer({
    env: 'MAX_MESSAGE_FRAGMENTS',
    fallback: 4_096,
    unit: 'frames',
    max: 1_000_000,
    effect: 'Frames of one message, including empty ones. Beyond it 1008. 0 = no limit.',
  }),
  controlFrameRate: integer({
    env: 'CONTROL_FRAME_RATE',
    fallback: 50,
    unit: 'per second',
    effect: 'Pings and pongs that a client may send within a second. Beyond it 1008. 0 = no limit.',
  }),
  budgetBytes: bytes({
    env: 'INBOUND_BUDGET_BYTES',
    fallback: 268_435_456,
    effect:
      'Bytes of incomplete messages of all clients of the node, checked once a second. Beyond it, the largest close with 1013. 0 = no limit.',
  }),
} as const;

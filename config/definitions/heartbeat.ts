import { integer, milliseconds } from '../setting.js';

/** Detection of vanished clients. */
export const heartbeat = {
  intervalMs: milliseconds({
    env: 'HEARTBEAT_INTERVAL_MS',
    fallback: 25_000,
    effect: 'Time between two pings of one connection. 0 = no heartbeat.',
  }),
  timeoutMs: milliseconds({
    env: 'HEARTBEAT_TIMEOUT_MS',
    fallback: 10_000,
    min: 1,
    effect: 'A connection that sends nothing for this time after a ping is cut off.',
  }),
  readRate: integer({
    env: 'HEARTBEAT_READ_RATE',
    fallback: 32_768,
    unit: 'bytes/s',
    effect:
      'How fast a client must read at least. A ping behind data that it may not have read yet may be answered later. 0 = no later than others.',
  }),
} as const;

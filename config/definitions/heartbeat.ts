import { milliseconds } from '../setting.js';

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
} as const;

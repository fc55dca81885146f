import { milliseconds } from '../setting.js';

/** Drain and shutdown. */
export const lifecycle = {
  drainTimeoutMs: milliseconds({
    env: 'DRAIN_TIMEOUT_MS',
    fallback: 20_000,
    min: 1,
    effect: 'Longest time from SIGTERM to the end of the process. Keep it below the orchestrator’s grace period.',
  }),
  reconnectWindowMs: milliseconds({
    env: 'RECONNECT_WINDOW_MS',
    fallback: 5_000,
    effect:
      'Clients of a draining node are told to reconnect at a random moment within this time, or a longer one if the other nodes need longer to accept them. 0 = at once, if there is no other node.',
  }),
} as const;

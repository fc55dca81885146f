import { milliseconds } from '../setting.js';

/** How a node leaves. */
export const lifecycle = {
  drainTimeoutMs: milliseconds({
    env: 'DRAIN_TIMEOUT_MS',
    fallback: 20_000,
    min: 1,
    effect: 'Time from SIGTERM to the end of the process, at most. Keep it below the orchestrator’s grace period.',
  }),
  reconnectWindowMs: milliseconds({
    env: 'RECONNECT_WINDOW_MS',
    fallback: 5_000,
    effect:
      'Told to the clients of a draining node: reconnect at a random moment within it. More is told where the other nodes need longer to take them in. 0 = at once, if there is no other node.',
  }),
} as const;

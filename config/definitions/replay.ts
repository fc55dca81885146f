import { bytes, milliseconds } from '../setting.js';

/** Messages that must not be handled twice, for handlers and namespaces that ask for it. */
export const replay = {
  windowMs: milliseconds({
    env: 'REPLAY_WINDOW_MS',
    fallback: 60_000,
    min: 1_000,
    max: 86_400_000,
    effect:
      'How old a protected message may be by its ts. Older ones, and those more than 30 s in the future, get STALE_MESSAGE.',
  }),
  budgetBytes: bytes({
    env: 'REPLAY_BUDGET_BYTES',
    fallback: 67_108_864,
    min: 1_048_576,
    effect:
      'Approximate memory for the ids of protected messages and their replies on a node without Redis, a quarter of it for one user. Beyond it SERVER_BUSY. For Redis, set its own maxmemory.',
  }),
} as const;

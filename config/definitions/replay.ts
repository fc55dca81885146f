import { bytes, milliseconds } from '../setting.js';

/** Messages that must not be carried out twice: those of handlers and namespaces that ask for it. */
export const replay = {
  windowMs: milliseconds({
    env: 'REPLAY_WINDOW_MS',
    fallback: 60_000,
    min: 1_000,
    max: 86_400_000,
    effect: 'How old a protected message may be by its ts; beyond it, and from 30 s ahead, STALE_MESSAGE.',
  }),
  budgetBytes: bytes({
    env: 'REPLAY_BUDGET_BYTES',
    fallback: 67_108_864,
    min: 1_048_576,
    effect:
      'What the ids of protected messages and the answers to them may take in the memory of a node without Redis, about, a quarter of it for one user; beyond it SERVER_BUSY. Redis has a limit of its own, maxmemory.',
  }),
} as const;

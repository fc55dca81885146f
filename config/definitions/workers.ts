import { availableParallelism } from 'node:os';
import { milliseconds, optionalText, type Setting } from '../setting.js';

const MAX_WORKERS = 64;

const count: Setting<number> = {
  env: 'WORKERS',
  fallback: '1',
  unit: 'auto | processes',
  secret: false,
  effect:
    'Processes that share PORT, so that the server uses more than one core. Beyond 1, a primary process starts and supervises them; without REDIS_URL it also keeps what they share. auto: one for each core that the process may use. Only for npm start and gatehouse start.',
  parse(given) {
    if (given === 'auto') return Math.min(MAX_WORKERS, availableParallelism());
    const value = Number(given);
    if (/^\d+$/.test(given) && value >= 1 && value <= MAX_WORKERS) return value;
    throw new Error(`must be auto, or a whole number from 1 to ${MAX_WORKERS}`);
  },
};

/** Several processes on one machine. */
export const workers = {
  count,
  socket: optionalText({
    env: 'WORKERS_SOCKET',
    unit: 'path',
    effect:
      'The unix socket by which workers reach the primary, at most 103 bytes. Only its owner can open it. Unset: a private folder in the temporary folder of the system. Not used with REDIS_URL.',
  }),
  startTimeoutMs: milliseconds({
    env: 'WORKERS_START_TIMEOUT_MS',
    fallback: 60_000,
    min: 1_000,
    effect: 'A worker that is not ready after this time is killed, and started again after a pause.',
  }),
} as const;

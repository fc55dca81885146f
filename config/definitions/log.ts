import { oneOf } from '../setting.js';

/** What is logged. */
export const log = {
  level: oneOf({
    env: 'LOG_LEVEL',
    values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    fallback: 'info',
    effect: 'The least important line that is written; debug adds a line per message.',
  }),
  format: oneOf({
    env: 'LOG_FORMAT',
    values: ['auto', 'json', 'pretty'],
    fallback: 'auto',
    effect: 'auto: pretty on a terminal, JSON elsewhere.',
  }),
} as const;

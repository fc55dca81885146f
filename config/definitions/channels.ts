import { bytes, integer, optionalText } from '../setting.js';

/** Channels and what they keep. */
export const channels = {
  file: optionalText({
    env: 'CHANNELS_FILE',
    unit: 'path',
    effect:
      'The namespaces of channels: who may subscribe and publish, history, presence, delivery; unset takes config/channels.yaml.',
  }),
  historyBudgetBytes: bytes({
    env: 'HISTORY_BUDGET_BYTES',
    fallback: 134_217_728,
    effect:
      'What the histories of all channels may take in the memory of a node without Redis, about; beyond it the channels that were published in longest ago forget theirs. 0 = no limit. Redis has a limit of its own, maxmemory.',
  }),
  maxPerSession: integer({
    env: 'MAX_CHANNELS_PER_SESSION',
    fallback: 128,
    unit: 'channels',
    effect: 'Channels one session may be subscribed to; beyond it CHANNEL_LIMIT_REACHED. 0 = no limit.',
  }),
  presenceRate: integer({
    env: 'PRESENCE_RATE',
    fallback: 1,
    unit: 'per second',
    effect:
      'Joins and leaves that one user may cause in one channel in the long run, at once four times as many. A user that leaves beyond the rate stays present for 10 s, as after a lost connection; if it subscribes again meanwhile, nobody is told. 0 = no limit.',
  }),
} as const;

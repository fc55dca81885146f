import { bytes, integer, optionalText } from '../setting.js';

/** Channels and what they keep. */
export const channels = {
  file: optionalText({
    env: 'CHANNELS_FILE',
    unit: 'path',
    effect:
      'File with the namespaces of channels: who may subscribe and publish, history, presence, delivery. Unset: config/channels.yaml.',
  }),
  historyBudgetBytes: bytes({
    env: 'HISTORY_BUDGET_BYTES',
    fallback: 134_217_728,
    effect:
      'Approximate memory for the histories of all channels on a node without Redis. Beyond it, the channels that were published in longest ago forget theirs. 0 = no limit. For Redis, set its own maxmemory.',
  }),
  stateBudgetBytes: bytes({
    env: 'STATE_BUDGET_BYTES',
    fallback: 134_217_728,
    effect:
      'Approximate memory for the values of all state channels on a node without Redis. Beyond it, a state.set that needs more gets STATE_LIMIT_REACHED. 0 = no limit. For Redis, set its own maxmemory.',
  }),
  maxPerSession: integer({
    env: 'MAX_CHANNELS_PER_SESSION',
    fallback: 128,
    unit: 'channels',
    effect: 'Channels that one session may be subscribed to. Beyond it CHANNEL_LIMIT_REACHED. 0 = no limit.',
  }),
  maxPresenceMembers: integer({
    env: 'MAX_PRESENCE_MEMBERS',
    fallback: 10_000,
    unit: 'sessions',
    effect: 'Sessions that one presence reply lists. If there are more, the reply has truncated: true. 0 = no limit.',
  }),
  presenceRate: integer({
    env: 'PRESENCE_RATE',
    fallback: 1,
    unit: 'per second',
    effect:
      'Joins and leaves that one user may cause in one channel in the long run; four times as many at once. A user that leaves beyond the rate stays present for 10 s, as after a lost connection. If the user subscribes again within that time, nobody is told. 0 = no limit.',
  }),
} as const;

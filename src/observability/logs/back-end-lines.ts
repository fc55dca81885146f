/** Lines about back ends: hooks, the outbox, and bridges. */
export const BACK_END_LINES = {
  back_end_failed: {
    area: 'hooks',
    level: 'warn',
    sentence: 'back end gave no usable answer',
    fields: ['hook', 'endpoint', 'reason', 'detail'],
    boundedBy: 'reason',
  },
  hook_events_dropped: {
    area: 'hooks',
    level: 'error',
    sentence: 'events dropped before the back end was told',
    fields: ['events'],
  },
  outbox_reading: {
    area: 'outbox',
    level: 'info',
    sentence: 'this node reads the outbox',
    fields: [],
  },
  outbox_failed: {
    area: 'outbox',
    level: 'warn',
    sentence: 'the outbox cannot be published; it is tried again',
    fields: ['reason'],
  },
  outbox_row_refused: {
    area: 'outbox',
    level: 'warn',
    sentence: 'a row of the outbox was refused',
    fields: ['row', 'reason'],
  },
  outbox_blocked: {
    area: 'outbox',
    level: 'warn',
    sentence: 'rows of the outbox wait for a transaction that is still open',
    fields: ['pid', 'application', 'seconds'],
  },
  bridge_connected: {
    area: 'bridges',
    level: 'info',
    sentence: 'connected to a broker',
    fields: ['broker'],
  },
  bridge_failed: {
    area: 'bridges',
    level: 'warn',
    sentence: 'a bridge cannot go on; it is tried again',
    fields: ['bridge', 'reason'],
  },
  bridge_publication_lost: {
    area: 'bridges',
    level: 'error',
    sentence: 'a publication did not reach its topic or subject',
    fields: ['destination', 'reason'],
    boundedBy: 'reason',
  },
  bridge_message_refused: {
    area: 'bridges',
    level: 'warn',
    sentence: 'a message of a broker cannot be published',
    fields: ['bridge', 'place', 'reason'],
  },
} as const;

/** Lines about back ends: hooks, the outbox, and bridges. */
/** Lines about other programs: back ends, brokers, and the centre of an edge node. */
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
  edge_upstream_up: {
    area: 'edge',
    level: 'info',
    sentence: 'the centre takes messages of this edge',
    fields: [],
  },
  edge_upstream_down: {
    area: 'edge',
    level: 'warn',
    sentence: 'the centre cannot be reached; messages are stored',
    fields: ['state', 'reason'],
  },
  edge_store_fault: {
    area: 'edge',
    level: 'error',
    sentence: 'the store of this edge has a fault',
    fields: ['fault', 'detail'],
    boundedBy: 'fault',
  },
  edge_message_refused: {
    area: 'edge',
    level: 'warn',
    sentence: 'the centre refused a message for good',
    fields: ['code', 'rule'],
  },
  edge_messages_lost: {
    area: 'edge',
    level: 'warn',
    sentence: 'messages will never reach the centre',
    fields: ['outcome', 'rule', 'messages'],
  },
} as const;

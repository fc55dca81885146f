import { bytes, integer, milliseconds, oneOf } from '../setting.js';

/** Limits on messages of clients. */
export const messages = {
  maxBytes: bytes({
    env: 'MAX_MESSAGE_BYTES',
    fallback: 10_485_760,
    min: 1,
    max: 1_073_741_824,
    effect: 'Largest message from a client. Beyond it the connection closes with 1009.',
  }),
  rate: integer({
    env: 'MESSAGE_RATE',
    fallback: 100,
    unit: 'per second',
    effect: 'Messages that a session may send in the long run. 0 = no limit.',
  }),
  burst: integer({
    env: 'MESSAGE_BURST',
    fallback: 200,
    unit: 'messages',
    effect: 'Messages that a session may send at once. 0 = the same as MESSAGE_RATE.',
  }),
  ratePerIp: integer({
    env: 'MESSAGE_RATE_PER_IP',
    fallback: 2_000,
    unit: 'per second',
    effect: 'Messages that all sessions of one address may send in the long run; twice as many at once. 0 = no limit.',
  }),
  rateLimitMode: oneOf({
    env: 'RATE_LIMIT_MODE',
    values: ['reject', 'throttle'],
    fallback: 'reject',
    effect:
      'reject: messages over the rate get RATE_LIMIT_EXCEEDED. throttle: the server stops reading until there is a token, and nothing is lost.',
  }),
  costBytes: bytes({
    env: 'MESSAGE_COST_BYTES',
    fallback: 0,
    effect:
      'A message costs one token for each started block of this many bytes, instead of one token. 0 = its size costs nothing.',
  }),
  replyCostBytes: bytes({
    env: 'REPLY_COST_BYTES',
    fallback: 16_384,
    effect:
      'A reply of history, presence or subscribe costs one token for each started block of this many bytes, the first of which the request has paid. 0 = its size costs nothing.',
  }),
  abuseBanAfter: integer({
    env: 'RATE_ABUSE_BAN_AFTER',
    fallback: 500,
    unit: 'messages',
    effect:
      'Messages over the rate within 10 s, not counting the first second, after which the session closes with 4001 and its address is banned. 0 = no limit. No effect in throttle mode.',
  }),
  compressFromBytes: bytes({
    env: 'COMPRESS_FROM_BYTES',
    fallback: 0,
    effect:
      'Messages to clients of at least this length are compressed (permessage-deflate). A message to many is compressed once. 0 = no compression is offered, except for v1.json.batch.',
  }),
  compressBatchesFromBytes: bytes({
    env: 'COMPRESS_BATCHES_FROM_BYTES',
    fallback: 512,
    effect:
      'The same for the lists of messages that clients of v1.json.batch get. 0 = no compression is offered to them.',
  }),
  compressMaxProcessorPercent: integer({
    env: 'COMPRESS_MAX_PROCESSOR_PERCENT',
    fallback: 75,
    unit: 'percent of one core',
    effect:
      'While the process uses more than this, it sends everything uncompressed, to leave time for the rest. It compresses again below four fifths of it. 0 = no check.',
  }),
  handlerTimeoutMs: milliseconds({
    env: 'HANDLER_TIMEOUT_MS',
    fallback: 30_000,
    effect:
      'If a handler has not replied by then, or not sent the first value of a stream, the client gets TIMEOUT and the connection goes on with its next message. A later reply is dropped. 0 = no limit.',
  }),
  maxBatch: integer({
    env: 'MAX_BATCH_MESSAGES',
    fallback: 64,
    min: 1,
    unit: 'messages',
    effect:
      'Messages in one frame of the subprotocol v1.json.batch. Each counts, and costs, on its own. A frame with more gets one INVALID_MESSAGE_FORMAT.',
  }),
  maxPending: integer({
    env: 'MAX_PENDING_MESSAGES',
    fallback: 64,
    min: 1,
    unit: 'messages',
    effect:
      'Messages of one connection that may wait for its handlers. Beyond it, the server stops reading the connection for a while.',
  }),
  maxProtocolErrors: integer({
    env: 'MAX_PROTOCOL_ERRORS',
    fallback: 20,
    unit: 'errors',
    effect: 'Malformed messages in a row before a connection closes with 1008. 0 = never.',
  }),
} as const;

import { bytes, integer, milliseconds, oneOf } from '../setting.js';

/** What a client may send. */
export const messages = {
  maxBytes: bytes({
    env: 'MAX_MESSAGE_BYTES',
    fallback: 10_485_760,
    min: 1,
    max: 1_073_741_824,
    effect: 'Largest message from a client; beyond it the connection closes with 1009.',
  }),
  rate: integer({
    env: 'MESSAGE_RATE',
    fallback: 100,
    unit: 'per second',
    effect: 'Messages a session may send in the long run. 0 = no limit.',
  }),
  burst: integer({
    env: 'MESSAGE_BURST',
    fallback: 200,
    unit: 'messages',
    effect: 'Messages a session may send at once. 0 = the same as MESSAGE_RATE.',
  }),
  ratePerIp: integer({
    env: 'MESSAGE_RATE_PER_IP',
    fallback: 2_000,
    unit: 'per second',
    effect: 'Messages all sessions of one address may send in the long run, at once twice that. 0 = no limit.',
  }),
  rateLimitMode: oneOf({
    env: 'RATE_LIMIT_MODE',
    values: ['reject', 'throttle'],
    fallback: 'reject',
    effect: 'reject: RATE_LIMIT_EXCEEDED. throttle: reading pauses until a token is there, nothing is lost.',
  }),
  costBytes: bytes({
    env: 'MESSAGE_COST_BYTES',
    fallback: 0,
    effect:
      'A message costs a token for each of so many bytes that it has begun, instead of one. 0 = its size costs nothing.',
  }),
  abuseBanAfter: integer({
    env: 'RATE_ABUSE_BAN_AFTER',
    fallback: 500,
    unit: 'messages',
    effect:
      'Messages over the rate that a session may send on within 10 s, not counting those of the first second: then 4001, and a ban of its address. 0 = no limit. Without effect in throttle mode.',
  }),
  compressFromBytes: bytes({
    env: 'COMPRESS_FROM_BYTES',
    fallback: 0,
    effect:
      'Messages to clients this long or longer are compressed (permessage-deflate), one for many only once. 0 = no compression is offered.',
  }),
  handlerTimeoutMs: milliseconds({
    env: 'HANDLER_TIMEOUT_MS',
    fallback: 30_000,
    effect:
      'A handler that has not answered by then, or given the first value of a stream, is answered for with TIMEOUT, and its connection goes on with its next message; what it answers later is dropped. 0 = no limit.',
  }),
  maxPending: integer({
    env: 'MAX_PENDING_MESSAGES',
    fallback: 64,
    min: 1,
    unit: 'messages',
    effect: 'Messages of one connection that may wait for its handlers; beyond it reading pauses.',
  }),
  maxProtocolErrors: integer({
    env: 'MAX_PROTOCOL_ERRORS',
    fallback: 20,
    unit: 'errors',
    effect: 'Malformed messages in a row before a connection closes with 1008. 0 = never.',
  }),
} as const;

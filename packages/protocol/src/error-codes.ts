/**
 * Every error a client can be answered with: the sentence it reads and whether a retry can help.
 * A code is never reused for another meaning; test/docs/protocol.spec.ts compares this list with docs/protocol.md.
 */
export const ERRORS = {
  INVALID_MESSAGE_FORMAT: { message: 'Invalid message format', retry: false },
  UNKNOWN_MESSAGE_TYPE: { message: 'Unknown message type', retry: false },
  UNSUPPORTED_VERSION: { message: 'Unsupported message version', retry: false },
  VALIDATION_FAILED: { message: 'Validation failed', retry: false },
  UNAUTHENTICATED: { message: 'Authentication required', retry: false },
  FORBIDDEN: { message: 'Insufficient privileges', retry: false },
  RATE_LIMIT_EXCEEDED: { message: 'Rate limit exceeded', retry: true },
  UNKNOWN_CHANNEL: { message: 'Unknown channel', retry: false },
  NOT_SUBSCRIBED: { message: 'Not subscribed to this channel', retry: false },
  CHANNEL_LIMIT_REACHED: { message: 'Channel limit reached', retry: false },
  UNKNOWN_KEY: { message: 'Unknown key', retry: false },
  CONFLICT: { message: 'The value has changed meanwhile', retry: false },
  STATE_LIMIT_REACHED: { message: 'State limit reached', retry: false },
  AREA_TOO_LARGE: { message: 'The area has too many cells', retry: false },
  MESSAGE_TOO_LARGE: { message: 'Message too large', retry: false },
  DUPLICATE_MESSAGE: { message: 'Duplicate message', retry: false },
  STALE_MESSAGE: { message: 'Message is too old', retry: false },
  DECRYPTION_FAILED: { message: 'Decryption failed', retry: false },
  UPSTREAM_UNAVAILABLE: { message: 'Upstream unavailable', retry: true },
  SERVER_BUSY: { message: 'Server busy', retry: true },
  NOT_REPLICATED: { message: 'Published, but not replicated in time', retry: true },
  TIMEOUT: { message: 'Timed out', retry: true },
  INTERNAL_ERROR: { message: 'Internal error', retry: true },
} as const;

/** Apart from the registry, so that a client is not larger by all its sentences. A test compares the two. */
const RETRYABLE: readonly string[] = [
  'RATE_LIMIT_EXCEEDED',
  'UPSTREAM_UNAVAILABLE',
  'SERVER_BUSY',
  'NOT_REPLICATED',
  'TIMEOUT',
  'INTERNAL_ERROR',
];

/** Whether the same request may succeed later. False for codes of handlers, which the registry does not know. */
export function isRetryable(code: string): boolean {
  return RETRYABLE.includes(code);
}

/** The code of an error of the registry; docs/protocol.md has the meaning of each. */
export type ErrorCode = keyof typeof ERRORS;

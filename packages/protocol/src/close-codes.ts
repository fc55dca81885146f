/**
 * What a client must do after a close:
 *
 * - `reconnect`: try again, with a delay that grows with each failed attempt;
 * - `reconnect-within-window`: try again at a random moment of the window that the reason announces ({@link reconnectWindow});
 * - `reconnect-later`: as `reconnect`, but not before five seconds have passed;
 * - `back-off`: a limit was exceeded: wait until the ban ends ({@link bannedUntil}), or for half a minute;
 * - `get-a-token`: try again with a new token, and never again with this one;
 * - `give-up`: a retry would fail in the same way;
 * - `none`: the connection ended as it was meant to.
 */
export type ClientAdvice =
  | 'reconnect'
  | 'reconnect-within-window'
  | 'reconnect-later'
  | 'back-off'
  | 'get-a-token'
  | 'give-up'
  | 'none';

interface CloseDefinition {
  readonly code: number;
  /** The close frame's reason, at most 123 bytes of UTF-8 (RFC 6455 §5.5). */
  readonly reason: string;
  readonly client: ClientAdvice;
}

/**
 * Every way this server ends a connection. The key is the name used in logs and counters;
 * the code is what the client reads. test/docs/protocol.spec.ts compares this list with docs/protocol.md.
 */
export const CLOSES = {
  normal: { code: 1000, reason: '', client: 'none' },
  going_away: { code: 1001, reason: 'Server going away', client: 'reconnect' },
  unsupported_subprotocol: { code: 1002, reason: 'Unsupported subprotocol', client: 'give-up' },
  protocol_error: { code: 1002, reason: 'Protocol error', client: 'give-up' },
  wrong_frame_kind: { code: 1003, reason: 'Wrong frame kind for the subprotocol', client: 'give-up' },
  invalid_utf8: { code: 1007, reason: 'Invalid UTF-8', client: 'give-up' },
  invalid_compression: { code: 1007, reason: 'Invalid compressed data', client: 'give-up' },
  too_many_protocol_errors: { code: 1008, reason: 'Too many protocol errors', client: 'give-up' },
  message_timeout: { code: 4408, reason: 'Message not complete in time', client: 'reconnect' },
  too_many_fragments: { code: 1008, reason: 'Message in too many pieces', client: 'give-up' },
  too_many_control_frames: { code: 1008, reason: 'Too many pings or pongs', client: 'give-up' },
  message_too_large: { code: 1009, reason: 'Message size exceeds limit', client: 'give-up' },
  draining: { code: 1012, reason: 'Server restarting', client: 'reconnect-within-window' },
  inbound_overflow: { code: 1013, reason: 'Too much in arrival, try again later', client: 'reconnect-later' },
  at_capacity: { code: 1013, reason: 'Server at capacity, try again later', client: 'reconnect-later' },
  too_many_connections: { code: 4001, reason: 'Too many connections, try again later', client: 'back-off' },
  too_many_messages: { code: 4001, reason: 'Too many messages, try again later', client: 'back-off' },
  slow_consumer: { code: 4008, reason: 'Slow consumer', client: 'reconnect' },
  unauthenticated: { code: 4401, reason: 'Authentication required', client: 'get-a-token' },
  token_expired: { code: 4401, reason: 'Token expired', client: 'get-a-token' },
  token_revoked: { code: 4401, reason: 'Token revoked', client: 'get-a-token' },
  invalid_token: { code: 4403, reason: 'Invalid token', client: 'give-up' },
  denied: { code: 4403, reason: 'Not allowed to connect', client: 'give-up' },
  ended_by_operator: { code: 4409, reason: 'Session ended', client: 'give-up' },
  origin_not_allowed: { code: 4430, reason: 'Origin not allowed', client: 'give-up' },
  starting: { code: 4503, reason: 'Server starting, try again later', client: 'reconnect-later' },
} as const satisfies Record<string, CloseDefinition>;

/** The name of a close; docs/protocol.md has the code and the meaning of each. */
export type CloseName = keyof typeof CLOSES;

/** Apart from the registry, so that a client is not larger by all its reasons. A test compares the two. */
const ADVICE: readonly [ClientAdvice, ...number[]][] = [
  ['none', 1000],
  ['give-up', 1002, 1003, 1007, 1008, 1009, 4403, 4409, 4430],
  ['reconnect-within-window', 1012],
  ['reconnect-later', 1013, 4503],
  ['back-off', 4001],
  ['get-a-token', 4401],
];

/** What a client must do after a close with this code. A code that is not in the table (1006, a proxy's 1011) is no reason to give up. */
export function adviceFor(code: number): ClientAdvice {
  return ADVICE.find((row) => row.includes(code))?.[0] ?? 'reconnect';
}

/** The window of a close with 1012 in milliseconds, or undefined if its reason announces none. */
export function reconnectWindow(reason: string): number | undefined {
  return /^\d{1,9}$/.test(reason) ? Number(reason) : undefined;
}

/** When the ban ends that the reason of a close with 4001 announces, in milliseconds since 1970. */
export function bannedUntil(reason: string): number | undefined {
  const [, until = ''] = /banned until (\S+)$/.exec(reason) ?? [];
  const time = Date.parse(until);
  return Number.isNaN(time) ? undefined : time;
}

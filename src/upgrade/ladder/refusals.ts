import type { CloseName } from '@gatehouse/protocol';

export interface HttpRefusal {
  readonly status: number;
  readonly sentence: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How a client is refused: by an HTTP response, or by a completed upgrade and a close code that a browser can read. */
export type Refusal = {
  /**
   * A trusted proxy gets the HTTP response, whatever AUTH_REFUSAL says, because it can pass the upgrade on to another
   * node.
   */
  readonly isForProxies?: true;
} & (
  | { readonly http: HttpRefusal; readonly close?: CloseName }
  | { readonly http?: undefined; readonly close: CloseName }
);

const busy = (sentence: string): HttpRefusal => ({ status: 503, sentence, headers: { 'Retry-After': '1' } });
/** A 426 names the protocol that is required (RFC 9110 §15.5.22). */
const upgradeRequired = (sentence: string, headers: Readonly<Record<string, string>> = {}): HttpRefusal => ({
  status: 426,
  sentence,
  headers: { Upgrade: 'websocket', Connection: 'Upgrade, close', ...headers },
});
const noToken = (sentence: string): HttpRefusal => ({
  status: 401,
  sentence,
  headers: { 'WWW-Authenticate': 'Bearer' },
});

/**
 * Every reason to refuse an upgrade; the key is the label of the counter. If both ways are possible, AUTH_REFUSAL
 * decides.
 */
export const REFUSALS = {
  // Not 426, which offers TLS on the same connection (RFC 2817). Not a close code, because the upgrade must not be
  // completed.
  tls_required: { http: { status: 403, sentence: 'TLS is required: use wss' } },
  bad_method: { http: { status: 405, sentence: 'A WebSocket upgrade is a GET request', headers: { Allow: 'GET' } } },
  too_many_headers: { http: { status: 431, sentence: 'Too many headers' } },
  bad_headers: { http: { status: 400, sentence: 'Malformed WebSocket upgrade headers' } },
  bad_http_version: { http: upgradeRequired('A WebSocket upgrade needs HTTP/1.1') },
  bad_version: { http: upgradeRequired('WebSocket version 13 is needed', { 'Sec-WebSocket-Version': '13' }) },
  bad_subprotocols: { http: { status: 400, sentence: 'Malformed Sec-WebSocket-Protocol header' } },
  bad_extensions: { http: { status: 400, sentence: 'Malformed Sec-WebSocket-Extensions header' } },
  unknown_path: { http: { status: 404, sentence: 'There is no WebSocket endpoint at this path' } },
  starting: { close: 'starting', http: busy('Server starting'), isForProxies: true },
  draining: { close: 'draining', http: busy('Server restarting'), isForProxies: true },
  overloaded: { close: 'at_capacity', http: busy('Server overloaded') },
  banned: { close: 'too_many_connections' },
  connection_rate: { close: 'too_many_connections' },
  too_many_from_address: { close: 'too_many_connections' },
  too_many_of_user: { close: 'too_many_connections' },
  at_capacity: { close: 'at_capacity', http: busy('Server at capacity') },
  origin: { close: 'origin_not_allowed', http: { status: 403, sentence: 'Origin not allowed' } },
  unsupported_subprotocol: { close: 'unsupported_subprotocol' },
  unauthenticated: { close: 'unauthenticated', http: noToken('Authentication required') },
  token_expired: { close: 'token_expired', http: noToken('Token expired') },
  token_revoked: { close: 'token_revoked', http: noToken('Token revoked') },
  invalid_token: { close: 'invalid_token', http: noToken('Invalid token') },
  denied_by_back_end: { close: 'denied', http: { status: 403, sentence: 'Not allowed to connect' } },
  back_end_unavailable: { close: 'at_capacity', http: busy('Cannot decide now, try again later') },
  aborted: { http: { status: 400, sentence: 'The client ended the connection before the upgrade was decided' } },
  undecided: { close: 'at_capacity', http: busy('The upgrade took too long') },
  keys_unavailable: { close: 'at_capacity', http: busy('Tokens cannot be checked at the moment') },
} as const satisfies Record<string, Refusal>;

export type RefusalReason = keyof typeof REFUSALS;

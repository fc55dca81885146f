import type { IncomingMessage } from 'node:http';

/** Scheme, authority, and the rest. An authority with user information is not one of HTTP (RFC 9110 §4.2.4). */
const ABSOLUTE = /^(?:https?|wss?):\/\/([^/?#@]+)(.*)$/is;

/**
 * Rewrites the absolute form of a request target, `GET http://host/path`, to the usual one. Servers must accept it, and
 * must take the host from it rather than from the Host header (RFC 9112 §3.2.2).
 */
export function useOriginForm(request: IncomingMessage): void {
  const [, authority, rest = ''] = ABSOLUTE.exec(request.url ?? '') ?? [];
  if (authority === undefined) return;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
  // A request without Host stays one without: that is a fault of its own.
  if (request.headers.host !== undefined) request.headers.host = authority;
}

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { listElements } from './list-header.js';

const ONLY_WEBSOCKET: readonly string[] = Object.freeze(['websocket']);
/** Scheme, authority, and the rest. An authority with user information is not valid for HTTP (RFC 9110 §4.2.4). */
const ABSOLUTE = /^(?:https?|wss?):\/\/([^/?#@]+)(.*)$/is;

/**
 * Rewrites the absolute form of a request target, `GET http://host/path`, to the usual one. Servers must accept it, and
 * must take the host from it and not from the Host header (RFC 9112 §3.2.2).
 */
export function useOriginForm(request: IncomingMessage): void {
  const { authority, target } = targetOf(request);
  if (authority === undefined) return;
  request.url = target;
  // A request without Host stays without: that is a fault of its own.
  if (request.headers.host !== undefined) request.headers.host = authority;
}

/** The target in its usual form, without its query. */
export function pathOf(request: IncomingMessage): string {
  const { target } = targetOf(request);
  const end = target.indexOf('?');
  return end === -1 ? target : target.slice(0, end);
}

function targetOf({ url = '/' }: IncomingMessage): { readonly authority?: string; readonly target: string } {
  if (url.startsWith('/')) return { target: url };
  const [, authority, rest = ''] = ABSOLUTE.exec(url) ?? [];
  if (authority === undefined) return { target: url };
  return { authority, target: rest.startsWith('/') ? rest : `/${rest}` };
}

/** The protocols in the Upgrade header, in lower case. */
export function offeredProtocols({ upgrade = '' }: IncomingHttpHeaders): readonly string[] {
  return upgrade === 'websocket' ? ONLY_WEBSOCKET : listElements(upgrade.toLowerCase());
}

/**
 * Whether a request with an Upgrade header offers only protocols that this server does not support, as Java's
 * HttpClient and `curl --http2` do with h2c. A list that includes WebSocket counts as WebSocket only with the headers
 * of a handshake.
 */
export function isForeignUpgrade({ method, headers }: IncomingMessage): boolean {
  const offered = offeredProtocols(headers);
  if (!offered.includes('websocket')) return true;
  const isAlone = offered.every((protocol) => protocol === 'websocket');
  return !isAlone && (method !== 'GET' || headers['sec-websocket-key'] === undefined);
}

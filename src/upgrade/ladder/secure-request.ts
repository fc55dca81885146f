import type { IncomingMessage } from 'node:http';
import { routeReader, trustedPeers, type ProxySettings } from './client-address.js';
import { forwardedProtocols } from './forwarded.js';

/** Some proxies report `wss` of an upgrade. */
const SECURE = new Set(['https', 'wss']);

/**
 * Makes the function that tells whether a client's request came over TLS: by its socket, or behind trusted proxies by what
 * the outermost of them reports.
 */
export function secureRequestReader(settings: ProxySettings): (request: IncomingMessage) => boolean {
  const { trustProxy, forwardedHeader } = settings;
  if (trustProxy === undefined) return isOverTls;
  const isTrusted = trustedPeers(trustProxy);
  const routeOf = routeReader(trustProxy, settings);
  return (request) => {
    const protocols = forwardedProtocols(request, forwardedHeader);
    if (protocols === undefined || !isTrusted(request.socket.remoteAddress ?? '')) return isOverTls(request);
    // Proxies replace the scheme or add theirs behind what came, and what came may be the client's own. So no more values
    // are believed than trusted proxies have been passed.
    const outermost = Math.min(protocols.length, Math.max(1, routeOf(request).hops));
    return SECURE.has(protocols[outermost - 1] ?? '');
  };
}

function isOverTls({ socket }: IncomingMessage): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

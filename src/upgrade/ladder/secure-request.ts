import type { IncomingMessage } from 'node:http';
import { routeReader, trustedPeers, type ProxySettings } from './client-address.js';
import { forwardedProtocols } from './forwarded.js';

/** Some proxies report `wss` for an upgrade. */
const SECURE = new Set(['https', 'wss']);

/**
 * Creates the function that tells whether a client's request used TLS: by its socket, or behind trusted proxies by the
 * report of the outermost one.
 */
export function secureRequestReader(settings: ProxySettings): (request: IncomingMessage) => boolean {
  const { trustProxy, forwardedHeader } = settings;
  if (trustProxy === undefined) return isOverTls;
  const isTrusted = trustedPeers(trustProxy);
  const routeOf = routeReader(trustProxy, settings);
  return (request) => {
    const protocols = forwardedProtocols(request, forwardedHeader);
    if (protocols === undefined || !isTrusted(request.socket.remoteAddress ?? '')) return isOverTls(request);
    // Proxies replace the scheme or append theirs, and the existing value may be the client's own. So only as many
    // values are trusted as there are trusted proxies on the way.
    const outermost = Math.min(protocols.length, Math.max(1, routeOf(request).hops));
    return SECURE.has(protocols[outermost - 1] ?? '');
  };
}

function isOverTls({ socket }: IncomingMessage): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

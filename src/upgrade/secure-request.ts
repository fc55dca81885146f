import type { IncomingMessage } from 'node:http';
import proxyAddr from 'proxy-addr';
import type { TrustedProxies } from '../../config/trusted-proxies.js';
import { trustOf, type Trust } from './client-address.js';

/** Some proxies report `wss` of an upgrade. */
const SECURE = new Set(['https', 'wss']);

/**
 * Makes the function that tells whether a client's request came over TLS: by its socket, or behind trusted proxies by what
 * the outermost of them reports.
 */
export function secureRequestReader(trusted: TrustedProxies): (request: IncomingMessage) => boolean {
  if (trusted === undefined) return isOverTls;
  const trust = trustOf(trusted);
  return (request) => {
    const reported = request.headers['x-forwarded-proto'];
    const peer = request.socket.remoteAddress ?? '';
    if (typeof reported !== 'string' || !trust(peer, 0)) return isOverTls(request);
    return SECURE.has(outermost(reported, trustedHops(request, trust)));
  };
}

function isOverTls({ socket }: IncomingMessage): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

/**
 * Proxies write the scheme anew or add it behind what came, and what came may be the client's own. So no more values are
 * believed than trusted proxies have been passed, counted from the last.
 */
function outermost(reported: string, hops: number): string {
  const schemes = reported.split(',').map((scheme) => scheme.trim().toLowerCase());
  return schemes[Math.max(0, schemes.length - hops)] ?? '';
}

function trustedHops(request: IncomingMessage, trust: Trust): number {
  try {
    return Math.max(1, proxyAddr.all(request, trust).length - 1);
  } catch {
    return 1;
  }
}

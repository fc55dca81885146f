import helmet, { strictTransportSecurity } from 'helmet';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { secureRequestReader } from '../upgrade/ladder/secure-request.js';
import type { TransportSettings } from './transport-settings.js';

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * For responses that are data: a browser that displays one runs, loads and frames nothing. /docs has its own headers.
 */
const NOTHING = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/** A middleware that gives every response the headers that restrict browsers. */
export function securityHeaders({ tls, server }: TransportSettings): Middleware {
  const common = helmet({ contentSecurityPolicy: NOTHING, strictTransportSecurity: false });
  const isMeant = tls.hstsMaxAgeSeconds > 0 && (tls.certFile !== undefined || tls.required === 'on');
  if (!isMeant) return common;

  // Without subdomains, which may belong to anyone.
  const hsts = strictTransportSecurity({ maxAge: tls.hstsMaxAgeSeconds, includeSubDomains: false });
  const isSecure = secureRequestReader(server);
  return (request, response, next) => {
    common(request, response, () => (isSecure(request) ? hsts(request, response, next) : next()));
  };
}

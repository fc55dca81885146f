import type { Settings } from '../../../config/settings.js';

/**
 * Schemes of pages that a server can have served itself. Others, such as chrome-extension:, have a host that proves
 * nothing.
 */
const WEB_SCHEMES = new Set(['http:', 'https:', 'ws:', 'wss:']);

/** Whether a page of `origin` may connect to the server under the name `host`. */
export type OriginPolicy = (origin: string | undefined, host: string | undefined) => boolean;

/**
 * Creates the function that tells whether a page may connect: pages of ALLOWED_ORIGINS, where `*` is any.
 *
 * Without a list, a page may connect to its own host name. But the page chooses that name: by DNS rebinding, a page of
 * evil.example makes its name resolve to this server's address, and then both agree. So if connections need no token,
 * only names of the machine itself count, which no DNS server can assign.
 */
export function originPolicy({ server, authentication }: Pick<Settings, 'server' | 'authentication'>): OriginPolicy {
  const allowed = server.allowedOrigins;
  const areTokensRequired = authentication.mode === 'required';
  if (allowed.includes('*')) return () => true;
  const listed = new Set(allowed.map((origin) => origin.toLowerCase().replace(/\/$/, '')));
  return (origin, host) => {
    // Only browsers send an Origin, and only they can be misused by a foreign page.
    if (origin === undefined) return true;
    if (listed.size > 0) return listed.has(origin.toLowerCase());
    return isSameHost(origin, host, areTokensRequired);
  };
}

function isSameHost(origin: string, host: string | undefined, isAnyNameFine: boolean): boolean {
  const page = pageHost(origin);
  const own = hostName(`http://${host ?? ''}`);
  if (page === undefined || own === undefined) return false;
  return (isLoopback(page) && isLoopback(own)) || (isAnyNameFine && page === own);
}

function pageHost(origin: string): string | undefined {
  return URL.canParse(origin) && WEB_SCHEMES.has(new URL(origin).protocol) ? hostName(origin) : undefined;
}

function hostName(url: string): string | undefined {
  const name = URL.canParse(url) ? new URL(url).hostname : '';
  return name === '' ? undefined : name;
}

/** Browsers resolve these themselves (RFC 6761 §6.3), and the URL parser writes every address of 127.0.0.0/8 alike. */
function isLoopback(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(?:\.\d+){3}$/.test(name);
}

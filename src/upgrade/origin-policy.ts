/** Browsers on the server's own machine call it by any of these. */
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a page of `origin` may connect to the server it knows as `host`. */
export type OriginPolicy = (origin: string | undefined, host: string | undefined) => boolean;

/**
 * Makes the function that says whether a page may connect.
 *
 * @param allowed origins such as https://app.example.com; `*` for any; empty for pages of the same host name
 */
export function originPolicy(allowed: readonly string[]): OriginPolicy {
  if (allowed.includes('*')) return () => true;
  const listed = new Set(allowed.map((origin) => origin.toLowerCase().replace(/\/$/, '')));
  return (origin, host) => {
    // Only browsers send an Origin, and only they can be misused by a foreign page.
    if (origin === undefined) return true;
    if (listed.size > 0) return listed.has(origin.toLowerCase());
    return isSameHost(origin, host);
  };
}

function isSameHost(origin: string, host: string | undefined): boolean {
  const page = hostName(origin);
  const own = hostName(`http://${host ?? ''}`);
  if (page === undefined || own === undefined) return false;
  return page === own || (LOOPBACK_NAMES.has(page) && LOOPBACK_NAMES.has(own));
}

function hostName(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

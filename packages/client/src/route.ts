import type { Environment } from './environment.js';
import { isObject } from './incoming.js';

export interface Route {
  /** Of the node to connect to, if the server names one. */
  readonly url: string | undefined;
  readonly retryAfterMs: number;
}

const WITHIN_MS = 3_000;

/** Asks `GET /route` of the server. Undefined if it says nothing of use. */
export async function routeOf(url: string, { fetch, clock }: Environment): Promise<Route | undefined> {
  if (fetch === undefined) return undefined;
  const abort = new AbortController();
  const timer = clock.setTimeout(() => abort.abort(), WITHIN_MS);
  try {
    const address = new URL('/route', url.replace(/^ws/, 'http'));
    const response = await fetch(address.href, { signal: abort.signal });
    if (response.status === 503)
      return { url: undefined, retryAfterMs: 1_000 * Number(response.headers.get('retry-after')) };
    const body = response.status === 200 ? await response.json() : undefined;
    return isObject(body) && isAsSafe(body.url, url) ? { url: body.url, retryAfterMs: 0 } : undefined;
  } catch {
    // No network, or not for us to read: the retry is due as it was.
    return undefined;
  } finally {
    clock.clearTimeout(timer);
  }
}

export function retryAfterOf({ retryAfterMs }: Route, random: () => number): number {
  return retryAfterMs > 0 && retryAfterMs <= 600_000 ? retryAfterMs * (1 + random()) : 0;
}

/** The token goes to this address: never over an open connection if the first one was encrypted. */
function isAsSafe(routed: unknown, first: string): routed is string {
  if (typeof routed !== 'string' || !/^wss?:\/\//.test(routed)) return false;
  return routed.startsWith('wss:') || !/^(wss|https):/.test(first);
}

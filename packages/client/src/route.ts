import type { Environment } from './environment.js';
import { isObject } from './incoming.js';

export interface Route {
  /** Of the node to connect to, if the server names one. */
  readonly url?: string | undefined;
  /** Milliseconds before which there is no use in another attempt. */
  readonly waitMs?: number;
}

const WITHIN_MS = 3_000;
const LONGEST_WAIT_MS = 600_000;

/** Asks `GET /route` of the server. Empty if it says nothing of use. */
export async function routeOf(url: string, { fetch, random }: Pick<Environment, 'fetch' | 'random'>): Promise<Route> {
  try {
    const { href } = new URL('/route', url.replace(/^ws/, 'http'));
    const response = await fetch?.(href, { signal: AbortSignal.timeout(WITHIN_MS) });
    if (response?.status === 503) {
      const waitMs = 1_000 * Number(response.headers.get('retry-after'));
      return waitMs <= LONGEST_WAIT_MS ? { waitMs: waitMs * (1 + random()) } : {};
    }
    const body = response?.status === 200 && (await response.json());
    return isObject(body) && isAsSafe(body.url, url) ? { url: body.url } : {};
  } catch {
    // No network, or not for us to read: the retry is due as it was.
    return {};
  }
}

/** The token goes to this address: never over an open connection if the first one was encrypted. */
function isAsSafe(routed: unknown, first: string): routed is string {
  return (
    typeof routed === 'string' && (routed.startsWith('wss:') || (routed.startsWith('ws:') && /^(ws|http):/.test(first)))
  );
}

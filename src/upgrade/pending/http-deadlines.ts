import type { Server } from 'node:http';

/** A browser sends twenty, proxies add a few. A request with more is refused. */
export const MAX_HEADERS = 100;
/** Request line and headers together: room for the largest token, and for cookies. Beyond it 431. */
const MAX_HEAD_BYTES = 16_384;
/** What a request's body may take on top of its headers. */
const BODY_MS = 30_000;
/** How long an answered client may think of its next request. */
const KEEP_ALIVE_MS = 5_000;
/** How long nothing may move on an HTTP connection, as where the client does not read its answer. A session has its heartbeat instead. */
const IDLE_MS = 60_000;
const CHECK_MS = 1_000;
const CHECKS_A_TIMEOUT = 4;

/** How often to look for who is late: Node's own default of 30 s would make 10 s into 40. */
export function checkEvery(timeoutMs: number): number {
  return timeoutMs === 0 ? CHECK_MS : Math.min(CHECK_MS, Math.ceil(timeoutMs / CHECKS_A_TIMEOUT));
}

/**
 * Bounds what Node reads of a request, in time and bytes, for HTTP and upgrades alike. To be called before the server
 * listens, for it starts its checks then.
 *
 * @param timeoutMs for the headers of a request; zero: no limit
 */
export function applyDeadlines(server: Server, timeoutMs: number): void {
  server.headersTimeout = timeoutMs;
  server.requestTimeout = timeoutMs === 0 ? 0 : timeoutMs + BODY_MS;
  // Node tells it to the client, which must not rely on more: PendingConnections lets it go after `timeoutMs`.
  server.keepAliveTimeout = timeoutMs === 0 ? KEEP_ALIVE_MS : Math.min(KEEP_ALIVE_MS, timeoutMs);
  server.timeout = IDLE_MS;
  // No limit: Node 20 drops the headers beyond it, and Node 22.23 fails as if the head had too many bytes. We count them ourselves.
  server.maxHeadersCount = 0;
  // Options of createServer, and plain fields of the server ever since: https and http servers are made elsewhere.
  Object.assign(server, { connectionsCheckingInterval: checkEvery(timeoutMs), maxHeaderSize: MAX_HEAD_BYTES });
}

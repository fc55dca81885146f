import type { Server } from 'node:http';

/** A browser sends twenty, and proxies add a few. A request with more is refused. */
export const MAX_HEADERS = 100;
/** Request line and headers together, with room for the largest token and for cookies. Beyond it 431. */
const MAX_HEAD_BYTES = 16_384;
/** Additional time for a request's body. */
const BODY_MS = 30_000;
/** How long a client may take until its next request. */
const KEEP_ALIVE_MS = 5_000;
/**
 * How long an HTTP connection may make no progress, for example if the client does not read its response. Sessions have
 * a heartbeat instead.
 */
const IDLE_MS = 60_000;
const CHECK_MS = 1_000;
/** Node checks for the body alone: PendingConnections checks the headers. Its timer runs even without connections. */
const NODE_CHECK_MS = 5_000;
const CHECKS_A_TIMEOUT = 4;

/** How often deadlines are checked: with Node's default of 30 s, 10 s could become 40. */
export function checkEvery(timeoutMs: number, maxMs = CHECK_MS): number {
  return timeoutMs === 0 ? maxMs : Math.min(maxMs, Math.ceil(timeoutMs / CHECKS_A_TIMEOUT));
}

/**
 * Limits what Node reads of a request, in time and bytes, for HTTP and upgrades alike. Call it before the server
 * listens, because the checks start then.
 *
 * @param timeoutMs for the headers of a request; 0: no limit
 */
export function applyDeadlines(server: Server, timeoutMs: number): void {
  server.headersTimeout = timeoutMs;
  server.requestTimeout = timeoutMs === 0 ? 0 : timeoutMs + BODY_MS;
  // Node announces it to the client, which must not rely on more: PendingConnections closes the connection after
  // `timeoutMs`.
  server.keepAliveTimeout = timeoutMs === 0 ? KEEP_ALIVE_MS : Math.min(KEEP_ALIVE_MS, timeoutMs);
  server.timeout = IDLE_MS;
  // No limit: Node 20 drops headers beyond it, and Node 22.23 reports too many bytes. We count headers ourselves.
  server.maxHeadersCount = 0;
  // Options of createServer, but also plain fields of the server; the servers are created elsewhere.
  Object.assign(server, {
    connectionsCheckingInterval: checkEvery(timeoutMs, NODE_CHECK_MS),
    maxHeaderSize: MAX_HEAD_BYTES,
  });
}
